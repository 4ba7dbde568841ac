// Fields of answers that name the peer: proxy_redirect, proxy_cookie_*.
#include <algorithm>
#include <array>

#include "config/handlers.h"

namespace weir::config {
namespace {

// FROM: "~regex" and "~*regex" are patterns, all else a text with variables.
bool take_from(const Call& call, const Argument& argument, bool always_caseless, Value& text,
               Pattern& pattern) {
  std::string_view source = argument.text;
  if (!source.starts_with('~')) {
    auto value = call.compiler.value(call, argument);
    if (value) text = std::move(*value);
    return value.has_value();
  }
  source.remove_prefix(1);
  const bool star = !always_caseless && source.starts_with('*');
  if (star) source.remove_prefix(1);
  pattern = call.compiler.pattern(call, argument, source, always_caseless || star);
  return static_cast<bool>(pattern);
}

bool take_to(const Call& call, const Argument& argument, Value& to) {
  auto value = call.compiler.value(call, argument);
  if (value) to = std::move(*value);
  return value.has_value();
}

// `off`, which stands alone in a block, makes an empty list. True if the directive is done with.
template <class List>
bool take_off(const Call& call, std::optional<List>& list) {
  if (list && list->empty()) {
    call.error("there is an \"off\" in this block already; keep one of them");
    return true;
  }
  if (call.count() > 1) return false;
  if (call.arg(0).text != "off") {
    call.error(call.arg(0),
               "invalid value " + quote(call.arg(0).text) + "; write off, or two words");
  } else if (list) {
    call.error("there are others in this block already; keep one kind");
  } else {
    list.emplace();
  }
  return true;
}

void add_cookie_rule(CookieRule rule, std::optional<std::vector<CookieRule>>& list) {
  if (!list) list.emplace();
  list->push_back(std::move(rule));
}

bool known_flag(std::string_view flag) {
  constexpr std::array<std::string_view, 8> kFlags = {
      "secure",          "nosecure",     "httponly",      "nohttponly",
      "samesite=strict", "samesite=lax", "samesite=none", "nosamesite"};
  return std::find(kFlags.begin(), kFlags.end(), lower(flag)) != kFlags.end();
}

}  // namespace

void compile_proxy_redirect(const Call& call) {
  auto& setting = call.scope.settings->proxy_redirect;
  if (setting && setting->off) {
    return call.error("there is an \"off\" in this block already; keep one of them");
  }
  RedirectRule rule;
  if (call.count() == 1) {
    const auto& word = call.arg(0);
    if (word.text == "off") {
      if (setting) return call.error("there are others in this block already; keep one kind");
      setting.emplace();
      setting->off = true;
      setting->default_ = false;
      return;
    }
    if (word.text != "default") {
      return call.error(word,
                        "invalid value " + quote(word.text) + "; write default, off or FROM TO");
    }
    if ((call.scope.contexts & in_http) != 0) {
      return call.error(word,
                        "default needs a proxy_pass in the same block; leave it out, it holds "
                        "without being written");
    }
    rule.default_ = true;
  } else if (!take_from(call, call.arg(0), false, rule.from, rule.pattern) ||
             !take_to(call, call.arg(1), rule.to)) {
    return;
  }
  if (!setting) setting = ProxyRedirect{false, false, {}};
  setting->rules.push_back(std::move(rule));
}

void compile_proxy_cookie_domain(const Call& call) {
  auto& list = call.scope.settings->proxy_cookie_domain;
  if (take_off(call, list)) return;
  // A dot before the domain means nothing to browsers.
  Argument from = call.arg(0);
  Argument to = call.arg(1);
  if (from.text.starts_with('.')) from.text.erase(0, 1);
  if (!from.text.starts_with('~') && to.text.starts_with('.')) to.text.erase(0, 1);
  CookieRule rule;
  if (!take_from(call, from, true, rule.from, rule.pattern) || !take_to(call, to, rule.to)) return;
  add_cookie_rule(std::move(rule), list);
}

void compile_proxy_cookie_path(const Call& call) {
  auto& list = call.scope.settings->proxy_cookie_path;
  if (take_off(call, list)) return;
  CookieRule rule;
  if (!take_from(call, call.arg(0), false, rule.from, rule.pattern) ||
      !take_to(call, call.arg(1), rule.to)) {
    return;
  }
  add_cookie_rule(std::move(rule), list);
}

void compile_proxy_cookie_flags(const Call& call) {
  auto& list = call.scope.settings->proxy_cookie_flags;
  if (take_off(call, list)) return;
  CookieFlags flags;
  if (!take_from(call, call.arg(0), true, flags.cookie, flags.pattern)) return;
  for (std::size_t i = 1; i < call.count(); ++i) {
    auto value = call.compiler.value(call, call.arg(i));
    if (!value) return;
    if (value->is_constant() && !known_flag(value->constant())) {
      call.warning("flag " + quote(value->constant()) +
                   " is not known and has no effect; known are secure, httponly, "
                   "samesite=strict, samesite=lax, samesite=none and their no-forms");
    }
    flags.flags.push_back(std::move(*value));
  }
  if (!list) list.emplace();
  list->push_back(std::move(flags));
}

}  // namespace weir::config
