// HTTP-date in its one preferred form (RFC 9110 section 5.6.7), whatever the locale. Any thread.
#pragma once

#include <cstddef>
#include <ctime>

namespace weir::http {

inline constexpr std::size_t kDateSize = 29;

// Writes "Sun, 06 Nov 1994 08:49:37 GMT" (kDateSize bytes, no end mark) to `out`.
void format_date(std::time_t time, char* out);

}  // namespace weir::http
