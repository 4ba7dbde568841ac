// Settings of one level (http, server or location) before inheritance: what is not set is empty.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/request_config.h"

namespace weir::config {

struct Settings {
#define WEIR_SETTING(type, name, ...) std::optional<type> name;
#define WEIR_SETTING_BY_DIALECT(type, name, nginx, careful) std::optional<type> name;
#include "config/settings.def"
#undef WEIR_SETTING
#undef WEIR_SETTING_BY_DIALECT

  // Takes what is not set here from `outer`. Lists are taken whole, as in nginx: a level with one
  // add_header of its own has none of the outer ones.
  void inherit(const Settings& outer) {
#define WEIR_SETTING(type, name, ...) \
  if (!name) name = outer.name;
#define WEIR_SETTING_BY_DIALECT(type, name, nginx, careful) \
  if (!name) name = outer.name;
#include "config/settings.def"
#undef WEIR_SETTING
#undef WEIR_SETTING_BY_DIALECT
  }
};

}  // namespace weir::config
