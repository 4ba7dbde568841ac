// Statuses as nginx words them. Any thread.
#pragma once

#include <string_view>

namespace weir::http {

// The reason phrase of a status line: "Not Found", "Moved Temporarily". Empty for a status that
// nginx has none for; the status line then ends in "HTTP/1.1 418 ".
[[nodiscard]] std::string_view reason_phrase(int status);

// What a page about the status is headed with: "Not Found", "Authorization Required". Also for
// statuses without a reason phrase; empty for those nobody knows.
[[nodiscard]] std::string_view status_title(int status);

// Statuses that exist inside only, to be told apart by `error_page`, and what they are outside:
// 494 to 497 are 400.
[[nodiscard]] constexpr int status_on_wire(int status) {
  return status >= 494 && status <= 497 ? 400 : status;
}

}  // namespace weir::http
