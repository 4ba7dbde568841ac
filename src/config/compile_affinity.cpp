// Of an upstream: `sticky`, `queue`, and weir's own rules of ejection, retries and unavailability.
#include "config/handlers.h"

namespace weir::config {
namespace {

std::string_view value_after(const Argument& argument, std::string_view key) {
  return std::string_view(argument.text).substr(key.size());
}

Argument part_of(const Argument& whole, std::string_view text) {
  Argument part = whole;
  part.text = text;
  return part;
}

// A variable, as nginx wants one there.
void add_variable(const Call& call, const Argument& argument, std::vector<Value>& out) {
  if (!argument.text.starts_with('$')) {
    return call.error(argument, "invalid variable " + quote(argument.text) + "; write $NAME");
  }
  if (auto value = call.compiler.value(call, argument)) out.push_back(std::move(*value));
}

bool valid_cookie_name(std::string_view name) {
  return !name.empty() && name.find_first_of("()<>@,;:\\\"/[]?={} \t") == std::string_view::npos;
}

void take_samesite(const Call& call, const Argument& argument, StickyConfig& sticky) {
  const auto text = value_after(argument, "samesite=");
  if (text.find('$') == std::string_view::npos) {
    const std::string word = lower(std::string(text));
    if (word != "strict" && word != "lax" && word != "none") {
      return call.error(argument, "invalid samesite " + quote(text) + "; use strict, lax or none");
    }
  }
  if (auto value = call.compiler.value(call, part_of(argument, text))) {
    sticky.samesite = std::move(*value);
  }
}

void take_expires(const Call& call, const Argument& argument, StickyConfig& sticky) {
  const auto text = value_after(argument, "expires=");
  if (text == "max") {
    sticky.expires_max = true;
    return;
  }
  if (const auto time = seconds_argument(call, part_of(argument, text))) sticky.expires = *time;
}

void take_cookie(const Call& call, StickyConfig& sticky) {
  const auto& name = call.arg(1);
  if (!valid_cookie_name(name.text)) {
    return call.error(name, "invalid name of a cookie: " + quote(name.text));
  }
  sticky.cookie = name.text;
  if (auto value = call.compiler.value(call, part_of(name, "$cookie_" + name.text))) {
    sticky.lookup.push_back(std::move(*value));
  }
  for (const auto& parameter : parameters(call, 2)) {
    const auto& argument = *parameter.argument;
    if (parameter.value.empty() && argument.text.ends_with('=')) {
      call.error(argument, std::string(parameter.key) + " is empty; leave it out");
      continue;
    }
    if (parameter.key == "expires") {
      take_expires(call, argument, sticky);
    } else if (parameter.key == "domain") {
      auto value = call.compiler.value(call, value_of(parameter));
      if (value) sticky.domain = std::move(*value);
    } else if (parameter.key == "path") {
      sticky.path = parameter.value;
    } else if (parameter.key == "samesite") {
      take_samesite(call, argument, sticky);
    } else if (parameter.key == "httponly") {
      sticky.httponly = true;
    } else if (parameter.key == "secure") {
      sticky.secure = true;
    } else {
      call.error(argument, quote(parameter.key) + " belongs to sticky learn");
    }
  }
}

void take_zone(const Call& call, const Argument& argument, StickyConfig& sticky) {
  const auto text = value_after(argument, "zone=");
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0) {
    return call.error(argument, "is written zone=NAME:SIZE");
  }
  sticky.zone = text.substr(0, colon);
  if (const auto size = size_argument(call, part_of(argument, text.substr(colon + 1)))) {
    sticky.zone_size = *size;
    if (*size < 32 * 1024) call.error(argument, "the zone is too small; give it 32k or more");
  }
}

// `create=` and `lookup=` may repeat, so these are not read as parameters() would.
void take_learn(const Call& call, StickyConfig& sticky) {
  for (std::size_t i = 1; i < call.count(); ++i) {
    const auto& argument = call.arg(i);
    const std::string_view text = argument.text;
    if (text.starts_with("create=")) {
      add_variable(call, part_of(argument, value_after(argument, "create=")), sticky.create);
    } else if (text.starts_with("lookup=")) {
      add_variable(call, part_of(argument, value_after(argument, "lookup=")), sticky.lookup);
    } else if (text.starts_with("zone=")) {
      take_zone(call, argument, sticky);
    } else if (text.starts_with("timeout=")) {
      const auto time = time_argument(call, part_of(argument, value_after(argument, "timeout=")));
      if (time && *time == Duration{0}) call.error(argument, "timeout must not be 0");
      if (time) sticky.timeout = *time;
    } else if (text == "header") {
      sticky.at_header = true;
    } else if (text.starts_with("sync")) {
      call.error(argument, "sessions are not shared between machines; remove sync");
    } else {
      call.error(argument, "unknown parameter " + quote(text) +
                               "; use create=, lookup=, zone=, timeout= or header");
    }
  }
  for (const auto& [missing, name] : {std::pair{sticky.create.empty(), "create=$VARIABLE"},
                                      std::pair{sticky.lookup.empty(), "lookup=$VARIABLE"},
                                      std::pair{sticky.zone.empty(), "zone=NAME:SIZE"}}) {
    if (missing) call.error(std::string("learn needs ") + name);
  }
}

// "20%" or "20"; nullopt after an error.
std::optional<std::uint32_t> percent_argument(const Call& call, const Argument& argument) {
  Argument bare = argument;
  if (bare.text.ends_with('%')) bare.text.pop_back();
  return number_argument(call, bare, 1, 100);
}

}  // namespace

void compile_sticky(const Call& call) {
  auto& upstream = *call.scope.upstream;
  StickyConfig sticky;
  sticky.position = call.directive.position;
  const auto& kind = call.arg(0);
  if (kind.text == "cookie") {
    take_cookie(call, sticky);
  } else if (kind.text == "route") {
    sticky.kind = StickyConfig::Kind::route;
    for (std::size_t i = 1; i < call.count(); ++i) add_variable(call, call.arg(i), sticky.lookup);
  } else if (kind.text == "learn") {
    sticky.kind = StickyConfig::Kind::learn;
    take_learn(call, sticky);
  } else {
    return call.error(kind, "unknown kind " + quote(kind.text) + "; use cookie, route or learn");
  }
  upstream.sticky = std::move(sticky);
}

void compile_forget(const Call& call) {
  if (const auto time = time_argument(call, call.arg(0))) call.scope.upstream->forget = *time;
}

void compile_queue(const Call& call) {
  auto& queue = call.scope.upstream->queue;
  if (const auto size = number_argument(call, call.arg(0), 1, 1u << 20)) queue.size = *size;
  for (const auto& parameter : parameters(call, 1)) {
    const auto time = time_argument(call, value_of(parameter));
    if (time && *time == Duration{0}) call.error(*parameter.argument, "timeout must not be 0");
    if (time) queue.timeout = *time;
  }
}

void compile_eject(const Call& call) {
  auto& eject = call.scope.upstream->eject;
  eject.on = true;
  const auto count = [&](const Parameter& parameter, std::uint32_t& out) {
    if (const auto n = number_argument(call, value_of(parameter), 1, 1'000'000)) out = *n;
  };
  const auto time = [&](const Parameter& parameter, Duration& out) {
    const auto given = time_argument(call, value_of(parameter));
    if (given && *given < Duration{1000}) {
      return call.error(*parameter.argument, "must be 1s or more");
    }
    if (given) out = *given;
  };
  for (const auto& parameter : parameters(call, 0)) {
    if (parameter.key == "off") {
      eject.on = false;
      if (call.count() > 1) call.error(*parameter.argument, "\"off\" stands alone");
    } else if (parameter.key == "fails") {
      count(parameter, eject.in_row);
    } else if (parameter.key == "rate") {
      if (const auto n = percent_argument(call, value_of(parameter))) eject.percent = *n;
    } else if (parameter.key == "requests") {
      count(parameter, eject.requests);
    } else if (parameter.key == "window") {
      time(parameter, eject.window);
    } else if (parameter.key == "time") {
      time(parameter, eject.base);
    } else if (parameter.key == "max") {
      time(parameter, eject.most);
    } else if (parameter.key == "min_available") {
      count(parameter, eject.min_available);
    }
  }
  if (eject.base > eject.most) call.error("time is greater than max");
}

void compile_retry_budget(const Call& call) {
  auto& retry = call.scope.upstream->retry;
  if (call.arg(0).text == "off") {
    retry.budget = 0;
    if (call.count() > 1) call.error(call.arg(1), "\"off\" stands alone");
    return;
  }
  if (const auto n = percent_argument(call, call.arg(0))) retry.budget = *n;
  for (const auto& parameter : parameters(call, 1)) {
    if (parameter.key != "least") continue;
    const auto n = number_argument(call, value_of(parameter), 1, 1'000'000);
    if (n) retry.budget_least = *n;
  }
}

void compile_retry_idempotency_key(const Call& call) {
  call.scope.upstream->retry.idempotency_key = lower(call.arg(0).text) == "on";
}

void compile_retry_safe(const Call& call) {
  auto& safe = call.scope.upstream->retry.safe;
  for (const auto& argument : call.directive.args) {
    std::string_view text = argument.text;
    SafePath path{.prefix = {}, .regex = nullptr, .text = argument.text};
    if (text.starts_with('~')) {
      text.remove_prefix(1);
      const bool caseless = text.starts_with('*');
      if (caseless) text.remove_prefix(1);
      while (text.starts_with(' ')) text.remove_prefix(1);
      path.regex = call.compiler.regex(call, argument, text, caseless);
      if (path.regex == nullptr) continue;
    } else if (text.starts_with('/')) {
      path.prefix = text;
    } else {
      call.error(argument, "invalid path " + quote(text) + "; write /PREFIX or \"~ REGEX\"");
    }
    safe.push_back(std::move(path));
  }
}

void compile_unavailable(const Call& call) {
  auto& unavailable = call.scope.upstream->unavailable;
  for (const auto& parameter : parameters(call, 0)) {
    if (parameter.key == "status") {
      const auto status = number_argument(call, value_of(parameter), 400, 599);
      if (status) unavailable.status = static_cast<std::uint16_t>(*status);
    } else if (parameter.key == "retry_after") {
      const auto time = seconds_argument(call, value_of(parameter));
      if (time) unavailable.retry_after = *time;
    }
  }
}

void compile_fail_open(const Call& call) {
  call.scope.upstream->unavailable.fail_open = lower(call.arg(0).text) == "on";
}

void compile_profile(const Call& call) {
  if (call.arg(0).text != "nocobase") {
    return call.error(call.arg(0), "unknown profile " + quote(call.arg(0).text) + "; use nocobase");
  }
  call.scope.upstream->nocobase = true;
}

}  // namespace weir::config
