// How values stand in lines of access logs. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "config/model.h"

namespace weir::proxy {

// Appends `value` as nginx's `log_format` escapes it: `default` writes `"`, `\` and what is not
// printable ASCII as \xHH, and "-" for nothing; `json` as JSON strings want it; `none` as it is.
void append_log_value(std::string& out, std::string_view value, config::LogFormat::Escape escape);

}  // namespace weir::proxy
