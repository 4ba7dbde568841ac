// HTTP-dates (RFC 9110 section 5.6.7), whatever the locale. Any thread.
#pragma once

#include <cstddef>
#include <ctime>
#include <optional>
#include <string_view>

namespace weir::http {

inline constexpr std::size_t kDateSize = 29;

// Writes "Sun, 06 Nov 1994 08:49:37 GMT" (kDateSize bytes, no end mark) to `out`.
void format_date(std::time_t time, char* out);

// Reads the three forms there are: "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37
// GMT" and "Sun Nov  6 08:49:37 1994". As lenient as nginx: the weekday may be any word, a month is
// known by the letters that tell it from others, what follows the time does not matter. nullopt:
// none of these, or no such day.
[[nodiscard]] std::optional<std::time_t> parse_date(std::string_view text);

}  // namespace weir::http
