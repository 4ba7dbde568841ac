// Classes of bytes in a message head, and the searches for the end of a part of it.
// Pure functions and constant tables; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace weir::http {

// What a byte means inside a field name. The value 0 is a plain token character.
enum NameByte : std::uint8_t {
  name_token = 0,
  name_underscore = 0x01,  // a token character that nginx refuses by default
  name_odd = 0x04,         // a token character that nginx takes for none: all but A-Z a-z 0-9 - _
  name_foreign = 0x02,     // printable or non-ASCII, but no token character
  name_colon = 0x40,       // the end of a name
  name_fatal = 0x80,       // control character, space, tab: never in a name
};
inline constexpr std::uint8_t name_stop = name_colon | name_fatal;

[[nodiscard]] constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
[[nodiscard]] constexpr bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
[[nodiscard]] constexpr char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}
// The value of a hexadecimal digit, or -1.
[[nodiscard]] constexpr int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}
[[nodiscard]] constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }

[[nodiscard]] constexpr std::array<std::uint8_t, 256> make_name_table() {
  std::array<std::uint8_t, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) {
    const char c = static_cast<char>(i);
    if (i <= 0x20 || i == 0x7f) {
      table[i] = name_fatal;
    } else if (is_alpha(c) || is_digit(c)) {
      table[i] = name_token;
    } else {
      table[i] = name_foreign;
    }
  }
  for (const char c : std::string_view("!#$%&'*+.^`|~")) {
    table[static_cast<unsigned char>(c)] = name_odd;
  }
  table[static_cast<unsigned char>('-')] = name_token;
  table[static_cast<unsigned char>('_')] = name_underscore;
  table[static_cast<unsigned char>(':')] = name_colon;
  return table;
}
inline constexpr std::array<std::uint8_t, 256> name_table = make_name_table();

[[nodiscard]] constexpr std::uint8_t name_byte(char c) {
  return name_table[static_cast<unsigned char>(c)];
}
// tchar of RFC 9110 section 5.6.2.
[[nodiscard]] constexpr bool is_token_char(char c) {
  return (name_byte(c) & (name_foreign | name_colon | name_fatal)) == 0;
}

// A byte that cannot be in a field value or reason phrase: a control character but tab.
[[nodiscard]] constexpr bool ends_text(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
}
// A byte that cannot be in a request target: a control character or space.
[[nodiscard]] constexpr bool ends_target(char c) {
  return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f;
}

// The first byte in [p, end) that ends_text, or `end`.
[[nodiscard]] inline const char* find_text_end(const char* p, const char* end) {
#if defined(__SSE2__)
  const __m128i low = _mm_set1_epi8(0x1f), tab = _mm_set1_epi8('\t'), del = _mm_set1_epi8(0x7f);
  for (; end - p >= 16; p += 16) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, low), v);
    const __m128i bad =
        _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(v, tab), control), _mm_cmpeq_epi8(v, del));
    if (const int mask = _mm_movemask_epi8(bad); mask != 0)
      return p + __builtin_ctz(unsigned(mask));
  }
#endif
  while (p != end && !ends_text(*p)) ++p;
  return p;
}

// The first byte in [p, end) that ends_target, or `end`.
[[nodiscard]] inline const char* find_target_end(const char* p, const char* end) {
#if defined(__SSE2__)
  const __m128i low = _mm_set1_epi8(0x20), del = _mm_set1_epi8(0x7f);
  for (; end - p >= 16; p += 16) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i bad =
        _mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(v, low), v), _mm_cmpeq_epi8(v, del));
    if (const int mask = _mm_movemask_epi8(bad); mask != 0)
      return p + __builtin_ctz(unsigned(mask));
  }
#endif
  while (p != end && !ends_target(*p)) ++p;
  return p;
}

[[nodiscard]] inline bool equal_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (to_lower(a[i]) != to_lower(b[i])) return false;
  }
  return true;
}

[[nodiscard]] inline std::string_view trim_blanks(std::string_view s) {
  while (!s.empty() && is_blank(s.front())) s.remove_prefix(1);
  while (!s.empty() && is_blank(s.back())) s.remove_suffix(1);
  return s;
}

// Calls `each` with every non-empty item of a comma-separated list (RFC 9110 section 5.6.1),
// blanks trimmed. Quoted strings are not looked into: no list read this way has them.
template <typename Each>
void for_each_item(std::string_view list, Each&& each) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    const std::string_view item = trim_blanks(list.substr(0, comma));
    if (!item.empty()) each(item);
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
}

}  // namespace weir::http
