#include "config/yaml_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

#include "config/text.h"

namespace weir::config {
namespace {

constexpr std::size_t kWidth = 100;       // columns
constexpr std::size_t kLongKey = 1000;    // YAML's limit of keys without `?` is 1024
constexpr std::size_t kExactDigits = 15;  // of numbers that no reader rounds
constexpr char32_t kInvalid = 0xffffffff;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The character at the front of `text` and its size; kInvalid if it is not UTF-8 (RFC 3629).
char32_t first_character(std::string_view text, std::size_t& size) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if ((lead >= 0x80 && lead < 0xc2) || lead > 0xf4 || size > text.size()) return kInvalid;
  char32_t code = size == 1 ? lead : lead & (0xffu >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return kInvalid;
    code = code << 6 | (byte(i) & 0x3fu);
  }
  constexpr std::array<char32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  return code < kLeast[size] || surrogate || code > 0x10ffff ? kInvalid : code;
}

// Takes it off; of what is not UTF-8 one byte.
char32_t take_character(std::string_view& text) {
  std::size_t size = 1;
  const char32_t code = first_character(text, size);
  text.remove_prefix(code == kInvalid ? 1 : size);
  return code;
}

// What YAML does not allow as it is, or takes for an end of line.
bool needs_escape(char32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029 ||
         code == 0xfeff || code == 0xfffe || code == 0xffff;
}

bool has_escapes(std::string_view text) {
  while (!text.empty()) {
    if (needs_escape(take_character(text))) return true;
  }
  return false;
}

std::string escaped(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const auto before = text;
    const char32_t code = take_character(text);
    if (code == '"' || code == '\\') {
      out += '\\';
      out += static_cast<char>(code);
    } else if (code == '\n') {
      out += "\\n";
    } else if (code == '\t') {
      out += "\\t";
    } else if (code == '\r') {
      out += "\\r";
    } else if (needs_escape(code)) {
      std::array<char, 8> buffer{};
      std::snprintf(buffer.data(), buffer.size(), "\\u%04x", static_cast<unsigned>(code));
      out += buffer.data();
    } else {
      out += before.substr(0, before.size() - text.size());
    }
  }
  return out + '"';
}

std::string quoted(std::string_view text) {
  if (has_escapes(text)) return escaped(text);
  if (text.find_first_of("\"\\") == std::string_view::npos) {
    return '"' + std::string(text) + '"';
  }
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + '\'';
}

std::size_t skip(std::string_view text, std::size_t at, std::string_view set) {
  return std::min(text.find_first_not_of(set, at), text.size());
}

// "30:15", "2:00:00.5": numbers to base 60 in YAML 1.1.
bool is_sexagesimal(std::string_view text, std::size_t at) {
  while (at < text.size() && text[at] == ':') {
    const auto end = skip(text, at + 1, "0123456789");
    if (end == at + 1 || end > at + 3) return false;
    at = end;
  }
  return at == text.size() || (text[at] == '.' && skip(text, at + 1, "0123456789_") == text.size());
}

// The rest of a number from `at`: "", ".5", ".5e3", "e+3".
bool is_fraction(std::string_view text, std::size_t at) {
  if (at < text.size() && text[at] == '.') at = skip(text, at + 1, "0123456789_");
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    if (++at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (at == text.size()) return false;
    at = skip(text, at, "0123456789");
  }
  return at == text.size();
}

// A number or date in YAML 1.1 or 1.2, or near enough.
bool looks_like_number(std::string_view text) {
  if (text[0] == '+' || text[0] == '-') text.remove_prefix(1);
  if (text.empty()) return false;
  const std::string low = lower(text);
  if (low == ".inf" || low == ".nan") return true;
  if (low.size() > 2 && low[0] == '0' &&
      std::string_view("xob").find(low[1]) != std::string::npos) {
    return true;
  }
  const auto digits = skip(text, 0, "0123456789_");
  if (digits == 0 || text[0] == '_') {
    return text.size() > 1 && text[0] == '.' && is_digit(text[1]) && is_fraction(text, 0);
  }
  const bool date = digits == 4 && text.size() >= 8 && text[4] == '-' && is_digit(text[5]);
  return date || is_fraction(text, digits) ||
         (text[std::min(digits, text.size() - 1)] == ':' && is_sexagesimal(text, digits));
}

// A number that every reader writes as it found it.
bool is_plain_number(std::string_view text) {
  if (text.starts_with('-') && text != "-0") text.remove_prefix(1);
  if (text.empty() || text.size() > kExactDigits) return false;
  return std::all_of(text.begin(), text.end(), is_digit) && (text[0] != '0' || text.size() == 1);
}

bool means_something_else(std::string_view text) {
  constexpr std::array<std::string_view, 12> kWords = {"null", "true", "false", "yes", "no", "on",
                                                       "off",  "y",    "n",     "~",   "=",  "<<"};
  if (std::find(kWords.begin(), kWords.end(), lower(text)) != kWords.end()) return true;
  return looks_like_number(text) && !is_plain_number(text);
}

bool can_be_plain(std::string_view text, bool in_flow) {
  constexpr std::string_view kFirst = " ?:,[]{}#&*!|>'\"%@`";
  if (text.empty() || kFirst.find(text.front()) != std::string_view::npos) return false;
  if (text.back() == ' ' || text.back() == ':') return false;
  if (text == "-" || text.starts_with("- ") || text.starts_with("---") || text.starts_with("...")) {
    return false;
  }
  if (text.find(": ") != std::string_view::npos || text.find(" #") != std::string_view::npos) {
    return false;
  }
  // yaml-cpp takes `?` for an indicator in a flow.
  if (in_flow && text.find_first_of(",[]{}?") != std::string_view::npos) return false;
  return !has_escapes(text) && !means_something_else(text);
}

class Emitter {
 public:
  std::string run(const YamlValue& root) {
    if (root.items.empty()) return "{}\n";
    bool spaced = false;
    for (std::size_t i = 0; i < root.items.size(); ++i) {
      const auto start = out_.size();
      pair(root, i, 0);
      // What takes several lines stands apart.
      const bool several = out_.find('\n', start) + 1 != out_.size();
      if (i > 0 && (several || spaced)) out_.insert(start, "\n");
      spaced = several;
    }
    return std::move(out_);
  }

 private:
  void pair(const YamlValue& mapping, std::size_t i, std::size_t indent) {
    const std::string key = yaml_scalar(mapping.keys[i], false);
    if (key.size() > kLongKey) {
      out_ += "? " + key + '\n' + std::string(indent, ' ');
    } else {
      out_ += key;
    }
    out_ += ':';
    const YamlValue& value = mapping.items[i];
    if (is_inline(value, 1)) {
      out_ += ' ' + flow(value, false) + '\n';
    } else {
      out_ += '\n';
      lines(value, indent + 2);
    }
  }

  void lines(const YamlValue& value, std::size_t indent) {
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      out_ += std::string(indent, ' ');
      if (value.kind == YamlValue::Kind::mapping) {
        pair(value, i, indent);
      } else {
        item(value.items[i], indent);
      }
    }
  }

  void item(const YamlValue& value, std::size_t indent) {
    out_ += "- ";
    if (value.kind == YamlValue::Kind::sequence || is_inline(value, 0)) {
      out_ += flow(value, false) + '\n';
      return;
    }
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      if (i > 0) out_ += std::string(indent + 2, ' ');
      pair(value, i, indent + 2);
    }
  }

  // Whether the value goes on in the line that has been begun, `more` columns further.
  bool is_inline(const YamlValue& value, std::size_t more) const {
    if (value.items.empty()) return true;
    if (!value.flow) return false;
    const auto line = out_.rfind('\n');
    const auto column = out_.size() - (line == std::string::npos ? 0 : line + 1);
    return column + more + flow(value, false).size() <= kWidth;
  }

  static std::string flow(const YamlValue& value, bool inside) {
    if (value.kind == YamlValue::Kind::text) return yaml_scalar(value.text, inside);
    if (value.kind == YamlValue::Kind::flag) return value.text;
    const bool mapping = value.kind == YamlValue::Kind::mapping;
    if (value.items.empty()) return mapping ? "{}" : "[]";
    std::string out = mapping ? "{ " : "[";
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      if (i > 0) out += ", ";
      if (mapping) out += yaml_scalar(value.keys[i], true) + ": ";
      out += flow(value.items[i], true);
    }
    return out + (mapping ? " }" : "]");
  }

  std::string out_;
};

}  // namespace

YamlValue YamlValue::of(std::string text) {
  YamlValue value;
  value.text = std::move(text);
  return value;
}

YamlValue YamlValue::of_flag(bool on) {
  YamlValue value = of(on ? "true" : "false");
  value.kind = Kind::flag;
  return value;
}

YamlValue YamlValue::sequence(std::vector<YamlValue> items) {
  YamlValue value;
  value.kind = Kind::sequence;
  value.items = std::move(items);
  return value;
}

YamlValue YamlValue::mapping(bool flow) {
  YamlValue value;
  value.kind = Kind::mapping;
  value.flow = flow;
  return value;
}

YamlValue YamlValue::list(const std::vector<std::string>& texts) {
  YamlValue value = sequence();
  value.flow = true;
  for (const auto& text : texts) value.items.push_back(of(text));
  return value;
}

void YamlValue::add(std::string key, YamlValue value) {
  keys.push_back(std::move(key));
  items.push_back(std::move(value));
}

std::string yaml_text(const YamlValue& root) { return Emitter().run(root); }

std::string yaml_scalar(std::string_view text, bool in_flow) {
  return can_be_plain(text, in_flow) ? std::string(text) : quoted(text);
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    if (take_character(text) == kInvalid) return false;
  }
  return true;
}

}  // namespace weir::config
