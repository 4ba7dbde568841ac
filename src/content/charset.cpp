#include "content/charset.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "content/utf8.h"
#include "http/chars.h"

namespace weir::content {
namespace {

using http::equal_ignoring_case;

constexpr std::size_t kAscii = 128;

bool is_utf8(std::string_view name) { return equal_ignoring_case(name, "utf-8"); }

// Hexadecimal digits of a byte; nullopt: none, or more than a byte.
std::optional<unsigned char> parse_byte(std::string_view text) {
  unsigned value = 0;
  if (text.empty()) return std::nullopt;
  for (const char c : text) {
    const int digit = http::hex_value(c);
    if (digit < 0) return std::nullopt;
    value = value << 4 | static_cast<unsigned>(digit);
    if (value > 255) return std::nullopt;
  }
  return static_cast<unsigned char>(value);
}

void append_entity(std::uint32_t character, std::string& out) {
  char digits[10];
  const auto end = std::to_chars(digits, digits + sizeof digits, character).ptr;
  out.append("&#").append(digits, end).append(";");
}

}  // namespace

CharsetMap::CharsetMap(std::string_view first, std::string_view second)
    : first_(first), second_(second), has_utf8_(is_utf8(second)) {
  to_first_.fill('?');
  for (std::size_t i = 0; i < kAscii; ++i) {
    to_second_[i].text[0] = static_cast<char>(i);
    to_first_[i] = static_cast<char>(i);
  }
  if (has_utf8_) pages_[0] = std::make_unique<std::array<char, 256>>();
}

bool CharsetMap::add(std::string_view first, std::string_view second) {
  const auto from = parse_byte(first);
  if (!from) return false;
  Bytes& bytes = to_second_[*from];
  if (!has_utf8_) {
    const auto to = parse_byte(second);
    if (!to) return false;
    bytes.text[0] = static_cast<char>(*to);
    to_first_[*to] = static_cast<char>(*from);
    return true;
  }
  if (second.empty() || second.size() % 2 != 0 || second.size() / 2 > bytes.text.size()) {
    return false;
  }
  bytes.size = static_cast<std::uint8_t>(second.size() / 2);
  for (std::size_t i = 0; i < bytes.size; ++i) {
    const auto byte = parse_byte(second.substr(2 * i, 2));
    if (!byte) return false;
    bytes.text[i] = static_cast<char>(*byte);
  }
  std::string_view text(bytes.text.data(), bytes.size);
  const auto character = decode_utf8(text);
  if (character > 0xffff) return false;
  auto& page = pages_[character >> 8];
  if (!page) page = std::make_unique<std::array<char, 256>>();
  (*page)[character & 255] = static_cast<char>(*from);
  return true;
}

Charsets::Outcome Charsets::add(std::shared_ptr<const CharsetMap> map) {
  if (equal_ignoring_case(map->first(), map->second())) return Outcome::same;
  if (is_utf8(map->first())) return Outcome::utf8_first;
  if (find(map->first(), map->second())) return Outcome::duplicate;
  declare(map->first());
  declare(map->second());
  maps_.push_back(std::move(map));
  return Outcome::ok;
}

void Charsets::declare(std::string_view name) {
  if (!knows(name)) names_.emplace_back(name);
}

bool Charsets::knows(std::string_view name) const {
  return std::any_of(names_.begin(), names_.end(),
                     [&](const std::string& known) { return equal_ignoring_case(known, name); });
}

Recoding Charsets::find(std::string_view from, std::string_view to) const {
  for (const auto& map : maps_) {
    if (equal_ignoring_case(map->first(), from) && equal_ignoring_case(map->second(), to)) {
      return {map, true};
    }
    if (equal_ignoring_case(map->second(), from) && equal_ignoring_case(map->first(), to)) {
      return {map, false};
    }
  }
  return {};
}

void Recoder::write(std::string_view in, std::string& out) {
  const CharsetMap& map = *recoding_.map;
  if (recoding_.to_second) {
    for (const char c : in) {
      const auto& bytes = map.to_second_[static_cast<unsigned char>(c)];
      out.append(bytes.text.data(), bytes.size);
    }
    return;
  }
  if (!map.has_utf8()) {
    for (const char c : in) out.push_back(map.to_first_[static_cast<unsigned char>(c)]);
    return;
  }
  // A character that began before is completed apart, so that `in` need not be copied.
  while (half_size_ > 0 && !in.empty()) {
    half_[half_size_++] = in.front();
    in.remove_prefix(1);
    const auto size = std::exchange(half_size_, 0);
    const auto half = half_;
    from_utf8({half.data(), size}, out);
  }
  from_utf8(in, out);
}

void Recoder::from_utf8(std::string_view in, std::string& out) {
  const auto& pages = recoding_.map->pages_;
  while (!in.empty()) {
    if (static_cast<unsigned char>(in.front()) < kAscii) {
      const auto end = std::find_if(in.begin(), in.end(),
                                    [](char c) { return static_cast<unsigned char>(c) >= kAscii; });
      out.append(in.begin(), end);
      in.remove_prefix(static_cast<std::size_t>(end - in.begin()));
      continue;
    }
    const auto character = decode_utf8(in);
    if (character == kHalfUtf8) {
      half_size_ = in.size();
      std::copy(in.begin(), in.end(), half_.begin());
      return;
    }
    if (character > kLastCharacter) {
      out.push_back('?');
      continue;
    }
    const auto* page = character > 0xffff ? nullptr : pages[character >> 8].get();
    const char byte = page == nullptr ? '\0' : (*page)[character & 255];
    if (byte != '\0') {
      out.push_back(byte);
    } else {
      append_entity(character, out);
    }
  }
}

CharsetDecision decide_charset(const CharsetQuestion& question) {
  using Action = CharsetDecision::Action;
  const auto own = question.type.charset;
  if (question.type.matched.empty()) return {};
  std::string_view to;
  if (question.accel && !question.accel->empty()) {
    if (!question.charsets->knows(*question.accel)) return {.unknown_accel = true};
    to = *question.accel;
  } else {
    if (!question.charset) return {};
    if (own.empty() ? !question.types->contains(question.type.matched)
                    : !question.override_charset) {
      return {};
    }
    to = *question.charset;
  }
  const bool redirect = question.status == 301 || question.status == 302;
  CharsetDecision decision{Action::declare, redirect ? std::string_view{} : to};
  if (own.empty() && !question.source) return decision;
  const auto from = own.empty() ? *question.source : own;
  if (equal_ignoring_case(from, to)) return decision;
  const bool both_known = question.charsets->knows(from) && question.charsets->knows(to);
  if (both_known && question.encoded) return {};
  decision.recoding = question.charsets->find(from, to);
  if (!decision.recoding) return {.unmapped = true};
  decision.action = Action::recode;
  return decision;
}

}  // namespace weir::content
