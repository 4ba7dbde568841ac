// Charsets of answers, and the tables that turn one into another.
#include <algorithm>

#include "config/handlers.h"

namespace weir::config {
namespace {

constexpr std::size_t kMaxUtf8 = 3;  // bytes: as many as nginx converts

// Hexadecimal digits; nullopt if there are others, or if it is more than a byte.
std::optional<std::uint8_t> hex_byte(std::string_view text) {
  std::uint32_t value = 0;
  if (text.empty()) return std::nullopt;
  for (const char c : text) {
    const char low = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    if (low >= '0' && low <= '9') {
      value = value * 16 + static_cast<std::uint32_t>(low - '0');
    } else if (low >= 'a' && low <= 'f') {
      value = value * 16 + static_cast<std::uint32_t>(low - 'a' + 10);
    } else {
      return std::nullopt;
    }
    if (value > 0xff) return std::nullopt;
  }
  return static_cast<std::uint8_t>(value);
}

// One character of UTF-8, of at most three bytes (RFC 3629).
bool is_utf8(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
  const auto follows = [&](std::size_t i) { return (at(i) & 0xc0) == 0x80; };
  if (bytes.size() == 1) return at(0) < 0x80;
  if (bytes.size() == 2) return at(0) >= 0xc2 && at(0) <= 0xdf && follows(1);
  return bytes.size() == 3 && (at(0) & 0xf0) == 0xe0 && follows(1) && follows(2) &&
         (at(0) != 0xe0 || at(1) >= 0xa0);
}

// "D0B0": the bytes; empty if they are none.
std::string hex_text(std::string_view text) {
  std::string bytes;
  if (text.size() % 2 != 0 || text.size() > 2 * kMaxUtf8) return {};
  for (; !text.empty(); text.remove_prefix(2)) {
    const auto byte = hex_byte(text.substr(0, 2));
    if (!byte) return {};
    bytes += static_cast<char>(*byte);
  }
  return bytes;
}

void add_entry(const Call& call, const Directive& entry, bool utf8, CharsetMap& map) {
  const Call here{call.compiler, call.scope, entry, call.info};
  if (entry.has_block) return here.error("takes no block; end it with \";\"");
  if (entry.args.size() != 1) return here.error("an entry is BYTE BYTE;, in hexadecimal");
  const auto byte = hex_byte(entry.name);
  if (!byte) return here.error("is not a byte in hexadecimal");
  const auto& text = entry.args[0];
  CharsetMap::Entry made{*byte, {}};
  if (utf8) {
    made.text = hex_text(text.text);
    if (!is_utf8(made.text)) {
      return here.error(
          text, "is not the UTF-8 form of a character, in hexadecimal: " + quote(text.text));
    }
  } else if (const auto other = hex_byte(text.text)) {
    made.text.assign(1, static_cast<char>(*other));
  } else {
    return here.error(text, "is not a byte in hexadecimal: " + quote(text.text));
  }
  map.entries.push_back(std::move(made));
}

// A variable, or a name; `off` is no charset.
std::optional<Value> charset_argument(const Call& call) {
  const auto& name = call.arg(0);
  if (!name.text.starts_with('$')) return Value(name.text);
  auto value = call.compiler.value(call, name);
  if (value && value->parts().size() != 1) {
    call.error(name, "one variable or a name is wanted, not a text with variables");
    return std::nullopt;
  }
  return value;
}

}  // namespace

void compile_charset(const Call& call) {
  if (call.arg(0).text == "off") {
    call.scope.settings->charset.emplace();
  } else if (auto value = charset_argument(call)) {
    call.scope.settings->charset = std::move(*value);
  }
}

void compile_source_charset(const Call& call) {
  if (auto value = charset_argument(call)) {
    call.scope.settings->source_charset = std::move(*value);
  }
}

void compile_charset_types(const Call& call) {
  add_types(call, call.scope.settings->charset_types);
}

void compile_charset_map(const Call& call) {
  CharsetMap map;
  map.from = call.arg(0).text;
  map.to = call.arg(1).text;
  map.position = call.directive.position;
  const std::string from = lower(map.from);
  const std::string to = lower(map.to);
  if (from == to) return call.error(call.arg(1), "both charsets are the same");
  if (from == "utf-8") {
    return call.error(call.arg(0),
                      "utf-8 must be the second one: charset_map " + map.to + " utf-8");
  }
  auto& maps = call.compiler.model().charset_maps;
  for (const auto& other : maps) {
    const std::string a = lower(other.from);
    const std::string b = lower(other.to);
    if ((a == from && b == to) || (a == to && b == from)) {
      return call.error("there is a map between these charsets, at " + other.position.text());
    }
  }
  for (const auto& entry : call.directive.block) {
    if (call.compiler.diagnostics().full()) return;
    add_entry(call, entry, to == "utf-8", map);
  }
  maps.push_back(std::move(map));
}

}  // namespace weir::config
