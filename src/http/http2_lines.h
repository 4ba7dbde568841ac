// Fields as lines ("Name: value\r\n"), taken apart to become those of HTTP/2. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::http {

// What a run of lines ended with.
enum class LinesEnd : std::uint8_t { empty_line, text, malformed };

inline std::string_view without_blanks(std::string_view value) {
  while (value.starts_with(' ') || value.starts_with('\t')) value.remove_prefix(1);
  while (value.ends_with(' ') || value.ends_with('\t')) value.remove_suffix(1);
  return value;
}

// Calls `take(name, value)` for each of the lines from `at` on. Names are made lower case where
// they stand, as HTTP/2 wants them (RFC 9113 section 8.2.1); both point into `text`.
template <class Take>
LinesEnd for_each_line(std::string& text, std::size_t at, Take take) {
  while (at < text.size()) {
    const auto end = text.find("\r\n", at);
    if (end == at) return LinesEnd::empty_line;
    const auto colon = text.find(':', at);
    if (end == std::string::npos || colon > end) return LinesEnd::malformed;
    for (auto i = at; i < colon; ++i) {
      if (text[i] >= 'A' && text[i] <= 'Z') text[i] = static_cast<char>(text[i] | 0x20);
    }
    const std::string_view all(text);
    take(all.substr(at, colon - at), without_blanks(all.substr(colon + 1, end - colon - 1)));
    at = end + 2;
  }
  return LinesEnd::text;
}

}  // namespace weir::http
