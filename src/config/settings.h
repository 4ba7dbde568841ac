// Settings of one level (http, server or location) before inheritance: what is not set is empty.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/model.h"

namespace weir::config {

struct KeepaliveTimeout {
  Duration idle{0};
  std::optional<Duration> header;
};

// `large_client_header_buffers COUNT SIZE`.
struct HeaderBuffers {
  std::uint64_t count = 4;
  std::uint64_t size = 0;  // bytes
};

struct Settings {
#define WEIR_SETTING(type, name) std::optional<type> name;
#include "config/settings.def"
#undef WEIR_SETTING

  // Takes what is not set here from `outer`. Lists are taken whole, as in nginx: a level with one
  // add_header of its own has none of the outer ones.
  void inherit(const Settings& outer) {
#define WEIR_SETTING(type, name) \
  if (!name) name = outer.name;
#include "config/settings.def"
#undef WEIR_SETTING
  }
};

}  // namespace weir::config
