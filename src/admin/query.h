// The escapes of a query. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace weir::admin {

// As forms are sent: "%20" and "+" are blanks.
[[nodiscard]] std::string decode(std::string_view text);

}  // namespace weir::admin
