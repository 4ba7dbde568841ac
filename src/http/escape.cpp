#include "http/escape.h"

#include <algorithm>
#include <array>

#include "http/chars.h"

namespace weir::http {
namespace {

using Table = std::array<bool, 256>;

constexpr void mark(Table& table, std::string_view chars) {
  for (const char c : chars) table[static_cast<unsigned char>(c)] = true;
}

constexpr Table foreign_bytes_and(std::string_view chars) {
  Table table{};
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = i <= 0x20 || i >= 0x7f;
  mark(table, "\"<>\\^`{|");
  mark(table, chars);
  return table;
}

constexpr Table make_component() {
  Table table{};
  for (std::size_t i = 0; i < table.size(); ++i) {
    const char c = static_cast<char>(i);
    table[i] =
        i >= 0x80 || !(is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~');
  }
  return table;
}

constexpr Table make_memcached() {
  Table table{};
  for (std::size_t i = 0; i <= 0x20; ++i) table[i] = true;
  mark(table, "%");
  return table;
}

// In the order of Escape.
constexpr std::array<Table, 6> kTables = {
    foreign_bytes_and("}#%?"), foreign_bytes_and("}#%&+;?"), make_component(),
    foreign_bytes_and("}#%'"), foreign_bytes_and("'~"),      make_memcached(),
};

const Table& table_of(Escape kind) { return kTables[static_cast<std::size_t>(kind)]; }

constexpr char kDigits[] = "0123456789ABCDEF";

}  // namespace

void escape(std::string_view text, Escape kind, std::string& out) {
  const Table& table = table_of(kind);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (!table[byte]) {
      out.push_back(c);
      continue;
    }
    const char escaped[] = {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    out.append(escaped, sizeof escaped);
  }
}

std::size_t count_escapes(std::string_view text, Escape kind) {
  const Table& table = table_of(kind);
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [&](char c) { return table[static_cast<unsigned char>(c)]; }));
}

std::size_t unescape(std::string_view text, Unescape kind, std::string& out) {
  const bool stops = kind != Unescape::all;
  std::size_t i = 0;
  while (i < text.size()) {
    const char c = text[i++];
    if (c != '%') {
      out.push_back(c);
      if (c == '?' && stops) break;
      continue;
    }
    if (i == text.size()) break;
    const int high = hex_value(text[i]);
    if (high < 0) {
      out.push_back(text[i++]);
      continue;
    }
    if (++i == text.size()) break;
    const int low = hex_value(text[i++]);
    if (low < 0) continue;
    const int byte = high << 4 | low;
    if (byte == '?' && stops) {
      out.push_back('?');
      break;
    }
    if (kind == Unescape::redirect && (byte <= '%' || byte >= 0x7f)) {
      out.append(text.substr(i - 3, 3));
    } else {
      out.push_back(static_cast<char>(byte));
    }
  }
  return i;
}

}  // namespace weir::http
