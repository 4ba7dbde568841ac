#include "content/utf8.h"

namespace weir::content {

std::uint32_t decode_utf8(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text.front());
  std::size_t more = 0;
  std::uint32_t value = 0;
  std::uint32_t largest_shorter = 0;
  if (first >= 0xf0 && first < 0xf8) {
    more = 3;
    value = first & 0x07;
    largest_shorter = 0xffff;
  } else if (first >= 0xe0 && first < 0xf0) {
    more = 2;
    value = first & 0x0f;
    largest_shorter = 0x7ff;
  } else if (first >= 0xc2 && first < 0xe0) {
    more = 1;
    value = first & 0x1f;
    largest_shorter = 0x7f;
  } else {
    text.remove_prefix(1);
    return kBrokenUtf8;
  }
  if (text.size() <= more) return kHalfUtf8;
  for (std::size_t i = 1; i <= more; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if (next < 0x80) {
      text.remove_prefix(i + 1);
      return kBrokenUtf8;
    }
    value = value << 6 | (next & 0x3f);
  }
  text.remove_prefix(more + 1);
  return value > largest_shorter ? value : kBrokenUtf8;
}

std::optional<std::size_t> count_characters(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); ++count) {
    if (static_cast<unsigned char>(text.front()) < 0x80) {
      text.remove_prefix(1);
    } else if (decode_utf8(text) > kLastCharacter) {
      return std::nullopt;
    }
  }
  return count;
}

std::string_view first_characters(std::string_view text, std::size_t count) {
  auto rest = text;
  for (; count > 0 && !rest.empty(); --count) {
    if (static_cast<unsigned char>(rest.front()) < 0x80) {
      rest.remove_prefix(1);
    } else if (decode_utf8(rest) > kLastCharacter) {
      break;
    }
  }
  return text.substr(0, text.size() - rest.size());
}

}  // namespace weir::content
