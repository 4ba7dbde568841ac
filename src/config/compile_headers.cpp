// Fields: of requests to peers, of answers, and those that stay hidden; expires.
#include "config/expires.h"
#include "config/handlers.h"

namespace weir::config {

bool valid_field_name(std::string_view name) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  if (name.empty()) return false;
  for (const char c : name) {
    const bool alphanumeric =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!alphanumeric && kOthers.find(c) == std::string_view::npos) return false;
  }
  return true;
}

namespace {

// Line breaks and the blanks around them as one space, none at the end.
std::string one_line(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  std::string result;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of("\r\n"), text.size());
    const auto last = text.substr(0, end).find_last_not_of(kBlanks);
    if (last != std::string_view::npos) {
      if (!result.empty()) result.push_back(' ');
      result.append(text.substr(0, last + 1));
    }
    const auto next = text.find_first_not_of(kBlanks, end);
    if (next == std::string_view::npos) break;
    text.remove_prefix(next);
  }
  return result;
}

// NAME VALUE; nullopt after an error.
std::optional<HeaderValue> header(const Call& call) {
  const auto& name = call.arg(0);
  if (!valid_field_name(name.text)) {
    call.error(name, "invalid field name " + quote(name.text));
    return std::nullopt;
  }
  const auto& text = call.arg(1);
  if (text.text.find('\0') != std::string::npos) {
    call.error(text, "the value has a NUL");
    return std::nullopt;
  }
  Argument line = text;
  if (text.text.find_first_of("\r\n") != std::string::npos) {
    line.text = one_line(text.text);
    call.warning("the value has line breaks, which no field can have; each is sent as a space");
  }
  auto value = call.compiler.value(call, line);
  if (!value) return std::nullopt;
  return HeaderValue{name.text, std::move(*value), false};
}

// add_header and add_trailer.
void add_field(const Call& call, std::optional<std::vector<HeaderValue>>& list) {
  auto field = header(call);
  if (!field) return;
  for (const auto& parameter : parameters(call, 2)) field->always = parameter.key == "always";
  if (!list) list.emplace();
  list->push_back(std::move(*field));
}

}  // namespace

void add_set_header(const Call& call, std::optional<std::vector<HeaderValue>>& list) {
  auto field = header(call);
  if (!field) return;
  if (!list) list.emplace();
  list->push_back(std::move(*field));
}

void add_field_name(const Call& call, std::optional<std::vector<std::string>>& list) {
  const auto& name = call.arg(0);
  if (!valid_field_name(name.text)) {
    return call.error(name, "invalid field name " + quote(name.text));
  }
  if (!list) list.emplace();
  list->push_back(lower(name.text));
}

void compile_add_header(const Call& call) { add_field(call, call.scope.settings->add_header); }
void compile_add_trailer(const Call& call) { add_field(call, call.scope.settings->add_trailer); }

void compile_expires(const Call& call) {
  const bool modified = call.count() == 2;
  if (modified && call.arg(0).text != "modified") {
    return call.error(call.arg(0),
                      "invalid value " + quote(call.arg(0).text) + "; only modified stands first");
  }
  const auto& text = call.arg(call.count() - 1);
  auto value = call.compiler.value(call, text);
  if (!value) return;
  if (!value->is_constant()) {
    ExpiresConfig expires;
    expires.kind = ExpiresConfig::Kind::value;
    expires.value = std::move(*value);
    expires.modified = modified;
    call.scope.settings->expires = std::move(expires);
    return;
  }
  std::string error;
  auto expires = parse_expires(text.text, modified, error);
  if (!expires) return call.error(text, error);
  call.scope.settings->expires = std::move(*expires);
}

}  // namespace weir::config
