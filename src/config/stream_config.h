// The settings of servers in `stream { }` that http has not; what both have (TLS, access, logs) is
// in request_config.h. Plain values of the model.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "config/variables.h"

namespace weir::config {

// The settings of a server of its own kind, complete.
struct StreamOptions {
#define WEIR_SETTING(type, name, ...) type name{__VA_ARGS__};
#include "config/stream_settings.def"
#undef WEIR_SETTING
};

// The same of one level, before inheritance.
struct StreamSettings {
#define WEIR_SETTING(type, name, ...) std::optional<type> name;
#include "config/stream_settings.def"
#undef WEIR_SETTING

  void inherit(const StreamSettings& outer) {
#define WEIR_SETTING(type, name, ...) \
  if (!name) name = outer.name;
#include "config/stream_settings.def"
#undef WEIR_SETTING
  }
  [[nodiscard]] StreamOptions options() const {
    StreamOptions out;
#define WEIR_SETTING(type, name, ...) \
  if (name) out.name = *name;
#include "config/stream_settings.def"
#undef WEIR_SETTING
    return out;
  }
};

}  // namespace weir::config
