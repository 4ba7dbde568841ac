#include "access/base64.h"

#include <array>
#include <cstdint>

namespace weir::access {
namespace {

constexpr std::string_view kLetters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::int8_t kNone = -1;

constexpr std::array<std::int8_t, 256> make_values(char second_last, char last) {
  std::array<std::int8_t, 256> values{};
  values.fill(kNone);
  for (std::size_t i = 0; i < 62; ++i) {
    values[static_cast<unsigned char>(kLetters[i])] = static_cast<std::int8_t>(i);
  }
  values[static_cast<unsigned char>(second_last)] = 62;
  values[static_cast<unsigned char>(last)] = 63;
  return values;
}
constexpr auto kStandard = make_values('+', '/');
constexpr auto kUrl = make_values('-', '_');

}  // namespace

bool decode_base64(std::string_view text, Alphabet alphabet, std::string& out) {
  const auto& values = alphabet == Alphabet::url ? kUrl : kStandard;
  text = text.substr(0, text.find('='));
  out.clear();
  if (text.size() % 4 == 1) return false;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const auto value = values[static_cast<unsigned char>(c)];
    if (value == kNone) return false;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<char>(bits >> count));
    }
  }
  return true;
}

std::string encode_base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t j = i; j < i + 3; ++j) {
      bits = bits << 8 | (j < bytes.size() ? static_cast<unsigned char>(bytes[j]) : 0U);
    }
    for (std::size_t letter = 0; letter < 4; ++letter) {
      const bool padding = i + letter > bytes.size();
      out.push_back(padding ? '=' : kLetters[bits >> (18 - 6 * letter) & 63]);
    }
  }
  return out;
}

}  // namespace weir::access
