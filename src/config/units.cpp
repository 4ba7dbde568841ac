#include "config/units.h"

#include <array>
#include <charconv>
#include <cstddef>

namespace weir::config {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Longest time taken: what a signed 32-bit number of seconds holds.
constexpr std::uint64_t kLongest = 0x7fffffffULL * 1000;

struct Unit {
  std::string_view name;
  std::uint64_t milliseconds;
};
constexpr std::array<Unit, 8> kUnits = {{{"y", 365ULL * 86400000},
                                         {"M", 30ULL * 86400000},
                                         {"w", 7ULL * 86400000},
                                         {"d", 86400000},
                                         {"h", 3600000},
                                         {"m", 60000},
                                         {"s", 1000},
                                         {"ms", 1}}};

// Takes the unit at the start of `text`; kUnits.size() if there is none that is known.
std::size_t take_unit(std::string_view& text) {
  std::size_t length = 0;
  while (length < text.size() && !is_digit(text[length]) && text[length] != ' ') ++length;
  const auto word = text.substr(0, length);
  text.remove_prefix(length);
  for (std::size_t i = 0; i < kUnits.size(); ++i) {
    if (kUnits[i].name == word) return i;
  }
  return kUnits.size();
}

}  // namespace

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  if (text.empty() || !is_digit(text.front())) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  if (text.empty()) return std::nullopt;
  unsigned shift = 0;
  switch (text.back()) {
    case 'k':
    case 'K':
      shift = 10;
      break;
    case 'm':
    case 'M':
      shift = 20;
      break;
    case 'g':
    case 'G':
      shift = 30;
      break;
    default:
      break;
  }
  if (shift != 0) text.remove_suffix(1);
  const auto number = parse_number(text);
  if (!number || *number > (static_cast<std::uint64_t>(INT64_MAX) >> shift)) return std::nullopt;
  return *number << shift;
}

std::optional<Duration> parse_time(std::string_view text) {
  std::uint64_t total = 0;
  std::size_t next_unit = 0;  // units before this one would be out of order
  bool any = false;
  bool ended = false;
  while (!text.empty()) {
    if (text.front() == ' ' && any) {
      text.remove_prefix(1);
      continue;
    }
    std::size_t digits = 0;
    while (digits < text.size() && is_digit(text[digits])) ++digits;
    const auto number = parse_number(text.substr(0, digits));
    if (!number || *number > kLongest || ended) return std::nullopt;
    text.remove_prefix(digits);
    std::uint64_t scale = 1000;
    if (text.empty() || text.front() == ' ') {
      ended = true;
    } else {
      const std::size_t unit = take_unit(text);
      if (unit == kUnits.size() || unit < next_unit) return std::nullopt;
      next_unit = unit + 1;
      scale = kUnits[unit].milliseconds;
    }
    if (*number > kLongest / scale) return std::nullopt;
    total += *number * scale;
    if (total > kLongest) return std::nullopt;
    any = true;
  }
  if (!any) return std::nullopt;
  return Duration{static_cast<Duration::rep>(total)};
}

std::optional<std::chrono::seconds> parse_seconds(std::string_view text) {
  const auto time = parse_time(text);
  if (!time || text.find("ms") != std::string_view::npos) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::seconds>(*time);
}

}  // namespace weir::config
