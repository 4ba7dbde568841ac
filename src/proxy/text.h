// Small helpers for the text of heads and logs. Pure functions.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::proxy {

inline void append_number(std::string& out, std::uint64_t number) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

// Whether `text` may stand in a field value: no CR, LF or NUL.
[[nodiscard]] inline bool is_field_text(std::string_view text) {
  for (const char c : text) {
    if (c == '\r' || c == '\n' || c == '\0') return false;
  }
  return true;
}

// Appends the values of a field among `lines` ("Name: value\r\n" each, of a head or of trailers
// that weir has written), joined as RFC 9110 section 5.3 says.
void append_line_field(std::string_view lines, std::string_view name, std::string& out);

// nginx's truth of a text: neither empty nor "0".
[[nodiscard]] inline bool is_true(std::string_view text) { return !text.empty() && text != "0"; }

}  // namespace weir::proxy
