// Names in a configuration may be any bytes; JSON and Prometheus's format want UTF-8. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace weir::admin {

// `text` with '?' for each byte that is not part of valid UTF-8 (RFC 3629).
[[nodiscard]] std::string to_utf8(std::string_view text);

}  // namespace weir::admin
