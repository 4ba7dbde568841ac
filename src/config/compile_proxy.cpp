#include <array>

#include "config/handlers.h"

namespace weir::config {
namespace {

struct NextWord {
  std::string_view name;
  std::uint32_t bit;
};
constexpr std::array<NextWord, 12> kNextWords = {{{"error", next_error},
                                                  {"timeout", next_timeout},
                                                  {"invalid_header", next_invalid_header},
                                                  {"http_500", next_http_500},
                                                  {"http_502", next_http_502},
                                                  {"http_503", next_http_503},
                                                  {"http_504", next_http_504},
                                                  {"http_403", next_http_403},
                                                  {"http_404", next_http_404},
                                                  {"http_429", next_http_429},
                                                  {"non_idempotent", next_non_idempotent},
                                                  {"off", next_off}}};

// A name of a header field: a token (RFC 9110 section 5.6.2).
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

// NAME VALUE; nullopt after an error.
std::optional<HeaderValue> header(const Call& call) {
  const auto& name = call.arg(0);
  if (!valid_field_name(name.text)) {
    call.error(name, "invalid field name " + quote(name.text));
    return std::nullopt;
  }
  const auto& text = call.arg(1);
  if (text.text.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
    call.error(text, "the value must be one line");
    return std::nullopt;
  }
  auto value = call.compiler.value(call, text);
  if (!value) return std::nullopt;
  return HeaderValue{name.text, std::move(*value), false};
}

void add_name(const Call& call, std::optional<std::vector<std::string>>& list) {
  const auto& name = call.arg(0);
  if (!valid_field_name(name.text)) {
    return call.error(name, "invalid field name " + quote(name.text));
  }
  if (!list) list.emplace();
  list->push_back(lower(name.text));
}

}  // namespace

void compile_proxy_set_header(const Call& call) {
  auto field = header(call);
  if (!field) return;
  auto& list = call.scope.settings->proxy_set_header;
  if (!list) list.emplace();
  list->push_back(std::move(*field));
}

void compile_add_header(const Call& call) {
  auto field = header(call);
  if (!field) return;
  for (const auto& parameter : parameters(call, 2)) field->always = parameter.key == "always";
  auto& list = call.scope.settings->add_header;
  if (!list) list.emplace();
  list->push_back(std::move(*field));
}

void compile_proxy_http_version(const Call& call) {
  const auto& version = call.arg(0).text;
  if (version == "2" || version == "2.0") {
    return call.error(call.arg(0), "HTTP/2 to peers is not supported yet; use 1.1");
  }
  if (version != "1.0" && version != "1.1") {
    return call.error(call.arg(0), "invalid version " + quote(version) + "; use 1.0 or 1.1");
  }
  call.scope.settings->proxy_http10 = version == "1.0";
}

void compile_proxy_next_upstream(const Call& call) {
  std::uint32_t bits = 0;
  std::vector<std::string_view> known;
  for (const auto& word : kNextWords) known.push_back(word.name);
  for (const auto& argument : call.directive.args) {
    if (argument.text == "updating") continue;  // concerns nginx's cache only
    std::uint32_t bit = 0;
    for (const auto& word : kNextWords) {
      if (word.name == argument.text) bit = word.bit;
    }
    if (bit == 0) {
      call.error(argument,
                 "unknown condition " + quote(argument.text) + did_you_mean(argument.text, known));
    } else if ((bits & bit) != 0) {
      call.warning(quote(argument.text) + " is given twice");
    }
    bits |= bit;
  }
  call.scope.settings->proxy_next_upstream = bits;
}

void compile_proxy_hide_header(const Call& call) {
  add_name(call, call.scope.settings->proxy_hide_header);
}

void compile_proxy_redirect(const Call& call) {
  const auto& word = call.arg(0);
  if (call.directive.args.size() > 1 || (word.text != "off" && word.text != "default")) {
    return call.error(word, "weir knows only `default` and `off` yet; leave it out for `default`");
  }
  call.scope.settings->proxy_redirect = word.text == "default";
}

void compile_proxy_pass_header(const Call& call) {
  add_name(call, call.scope.settings->proxy_pass_header);
}

}  // namespace weir::config
