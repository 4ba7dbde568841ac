#include "proxy/cookies.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "http/chars.h"
#include "proxy/exchange.h"
#include "proxy/variables.h"

namespace weir::proxy {
namespace {

// "name=value" of a cookie, or one of its attributes, which may have no value.
struct Attribute {
  std::string name;
  std::optional<std::string> value;
};

std::string_view without_blanks(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::vector<Attribute> parse(std::string_view cookie) {
  std::vector<Attribute> attributes;
  while (true) {
    const auto end = cookie.find(';');
    const auto part = cookie.substr(0, end);
    const auto equals = part.find('=');
    Attribute attribute;
    attribute.name = without_blanks(part.substr(0, equals));
    if (equals != std::string_view::npos) attribute.value = without_blanks(part.substr(equals + 1));
    attributes.push_back(std::move(attribute));
    if (end == std::string_view::npos) return attributes;
    cookie.remove_prefix(end + 1);
  }
}

std::string text_of(const std::vector<Attribute>& attributes) {
  std::string out;
  for (const auto& attribute : attributes) {
    if (!out.empty()) out.append("; ");
    out.append(attribute.name);
    if (attribute.value) out.append("=").append(*attribute.value);
  }
  return out;
}

// The first rule that is for `value` changes it: a pattern replaces all of it, a path its
// beginning, a domain what follows its leading dot.
bool rewrite_value(Exchange& x, const std::vector<config::CookieRule>& rules, bool is_domain,
                   std::string& value) {
  const std::size_t dot = is_domain && value.starts_with('.') ? 1 : 0;
  for (const auto& rule : rules) {
    std::string to;
    if (rule.pattern) {
      if (!x.match(rule.pattern, std::string_view(value).substr(dot))) continue;
      evaluate(rule.to, x, to);
      value.replace(dot, std::string::npos, to);
      return true;
    }
    std::string from;
    evaluate(rule.from, x, from);
    const auto present = std::string_view(value).substr(dot);
    if (is_domain ? !equal_ignoring_case(present, from) : !present.starts_with(from)) continue;
    evaluate(rule.to, x, to);
    value.replace(dot, from.size(), to);
    return true;
  }
  return false;
}

// What is wanted of an attribute; nullopt: nothing.
struct Wanted {
  std::optional<bool> secure;
  std::optional<bool> httponly;
  std::optional<std::string> samesite;  // empty: none at all
};

Wanted wanted_flags(Exchange& x, const config::CookieFlags& rule) {
  Wanted wanted;
  for (const auto& flag : rule.flags) {
    std::string text;
    evaluate(flag, x, text);
    for (char& c : text) c = http::to_lower(c);
    if (text == "secure") wanted.secure = true;
    if (text == "nosecure") wanted.secure = false;
    if (text == "httponly") wanted.httponly = true;
    if (text == "nohttponly") wanted.httponly = false;
    if (text == "samesite=strict") wanted.samesite = "Strict";
    if (text == "samesite=lax") wanted.samesite = "Lax";
    if (text == "samesite=none") wanted.samesite = "None";
    if (text == "nosamesite") wanted.samesite = "";
  }
  return wanted;
}

const config::CookieFlags* find_flags(Exchange& x, const std::string& name) {
  for (const auto& rule : x.config().proxy_cookie_flags) {
    if (rule.pattern) {
      if (x.match(rule.pattern, name)) return &rule;
      continue;
    }
    std::string cookie;
    evaluate(rule.cookie, x, cookie);
    if (equal_ignoring_case(cookie, name)) return &rule;
  }
  return nullptr;
}

// Makes the attribute `name` be there with `value`, or not at all.
void set_attribute(std::vector<Attribute>& attributes, std::string_view name, bool present,
                   const std::optional<std::string>& value) {
  const auto found =
      std::find_if(attributes.begin() + 1, attributes.end(),
                   [&](const Attribute& a) { return equal_ignoring_case(a.name, name); });
  if (!present) {
    std::erase_if(attributes, [&](const Attribute& a) {
      return &a != attributes.data() && equal_ignoring_case(a.name, name);
    });
  } else if (found == attributes.end()) {
    attributes.push_back({std::string(name), value});
  } else if (value && !(found->value && equal_ignoring_case(*found->value, *value))) {
    *found = {std::string(name), value};
  }
}

bool set_flags(Exchange& x, std::vector<Attribute>& attributes) {
  const auto* rule = find_flags(x, attributes.front().name);
  if (rule == nullptr) return false;
  const Wanted wanted = wanted_flags(x, *rule);
  if (wanted.secure) set_attribute(attributes, "Secure", *wanted.secure, std::nullopt);
  if (wanted.httponly) set_attribute(attributes, "HttpOnly", *wanted.httponly, std::nullopt);
  if (wanted.samesite) {
    set_attribute(attributes, "SameSite", !wanted.samesite->empty(), wanted.samesite);
  }
  return wanted.secure || wanted.httponly || wanted.samesite;
}

}  // namespace

void rewrite_cookie(Exchange& x, std::string& cookie) {
  const auto& c = x.config();
  if (c.proxy_cookie_domain.empty() && c.proxy_cookie_path.empty() &&
      c.proxy_cookie_flags.empty()) {
    return;
  }
  auto attributes = parse(cookie);
  if (!attributes.front().value) return;
  bool changed = false;
  for (std::size_t i = 1; i < attributes.size(); ++i) {
    auto& [name, value] = attributes[i];
    if (!value) continue;
    if (equal_ignoring_case(name, "domain")) {
      changed = rewrite_value(x, c.proxy_cookie_domain, true, *value) || changed;
    } else if (equal_ignoring_case(name, "path")) {
      changed = rewrite_value(x, c.proxy_cookie_path, false, *value) || changed;
    }
  }
  if (!c.proxy_cookie_flags.empty()) changed = set_flags(x, attributes) || changed;
  if (changed) cookie = text_of(attributes);
}

}  // namespace weir::proxy
