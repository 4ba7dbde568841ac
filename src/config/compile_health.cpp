#include "config/handlers.h"

namespace weir::config {
namespace {

constexpr std::uint32_t kMaxCount = 1000;

// "200" or "200-399".
bool parse_status(std::string_view text, StatusRange& out) {
  const auto dash = text.find('-');
  const auto from = parse_number(text.substr(0, dash));
  const auto to = dash == std::string_view::npos ? from : parse_number(text.substr(dash + 1));
  if (!from || !to || *from < 100 || *to > 599 || *from > *to) return false;
  out = {static_cast<std::uint16_t>(*from), static_cast<std::uint16_t>(*to)};
  return true;
}

void take_status(const Call& call, const Argument& at, std::string_view text,
                 std::vector<StatusRange>& out) {
  StatusRange range;
  if (parse_status(text, range)) {
    out.push_back(range);
  } else {
    call.error(at, "invalid status " + quote(text) + "; write 200 or 200-399");
  }
}

// "200,204" and "!500-599": what `match` says in a block, as one parameter.
void take_status_list(const Call& call, const Argument& at, std::string_view text,
                      HealthCheckConfig& check) {
  check.status.clear();
  check.status_negated = text.starts_with('!');
  if (check.status_negated) text.remove_prefix(1);
  while (true) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    const auto comma = text.find(',');
    take_status(call, at, text.substr(0, comma), check.status);
    if (comma == std::string_view::npos) return;
    text.remove_prefix(comma + 1);
  }
}

// One health_check being read.
struct CheckReader {
  const Call& call;
  HealthCheckConfig& check;
  bool has_http = false;  // a parameter that only HTTP checks have
  std::string type;

  void time(const Parameter& parameter, Duration& out, bool zero_is_fine) {
    const Argument value = value_of(parameter);
    const auto time = time_argument(call, value);
    if (!time) return;
    if (*time == Duration{0} && !zero_is_fine) {
      return call.error(*parameter.argument, std::string(parameter.key) + " must not be 0");
    }
    out = *time;
  }

  void count(const Parameter& parameter, std::uint32_t& out) {
    const auto number = number_argument(call, value_of(parameter), 1, kMaxCount);
    if (number) out = *number;
  }

  bool take_numbers(const Parameter& parameter) {
    const auto key = parameter.key;
    if (key == "interval") {
      time(parameter, check.interval, false);
    } else if (key == "jitter") {
      time(parameter, check.jitter, true);
    } else if (key == "timeout") {
      time(parameter, check.timeout, false);
    } else if (key == "fast") {
      time(parameter, check.fast_interval, false);
    } else if (key == "fails") {
      count(parameter, check.fails);
    } else if (key == "passes") {
      count(parameter, check.passes);
    } else if (key == "port") {
      const auto port = number_argument(call, value_of(parameter), 1, 65535);
      if (port) check.port = static_cast<std::uint16_t>(*port);
    } else {
      return false;
    }
    return true;
  }

  void take(const Parameter& parameter) {
    const auto key = parameter.key;
    if (take_numbers(parameter)) return;
    if (key == "uri") {
      has_http = true;
      check.uri = parameter.value;
      if (!parameter.value.starts_with('/') ||
          parameter.value.find_first_of(" \t\r\n") != std::string_view::npos) {
        call.error(*parameter.argument, "uri must begin with / and have no blanks");
      }
    } else if (key == "host") {
      check.host = parameter.value;
      if (parameter.value.find_first_of(" \t\r\n") != std::string_view::npos) {
        call.error(*parameter.argument, "invalid host " + quote(parameter.value));
      }
    } else if (key == "status") {
      has_http = true;
      take_status_list(call, *parameter.argument, parameter.value, check);
    } else if (key == "match") {
      has_http = true;
      take_match(parameter);
    } else if (key == "type") {
      type = parameter.value;
      if (type != "http" && type != "tcp") {
        call.error(*parameter.argument, "unknown type " + quote(type) + "; use http or tcp");
      }
    } else if (key == "mandatory") {
      check.mandatory = true;
    } else if (key == "off") {
      call.error(*parameter.argument, "\"off\" stands alone");
    }
  }

  void take_match(const Parameter& parameter) {
    const auto* match = call.compiler.find_match(std::string(parameter.value));
    if (match == nullptr) {
      return call.error(*parameter.argument, "unknown match " + quote(parameter.value) +
                                                 "; define it: match NAME { status 200; }");
    }
    check.status = match->status;
    check.status_negated = match->status_negated;
  }
};

// What nginx has when health_check stands without parameters, or weir when it is on by itself.
HealthCheckConfig default_check(Dialect dialect) {
  HealthCheckConfig check;
  if (dialect == Dialect::yaml) {
    check.interval = std::chrono::seconds{1};
    check.fast_interval = std::chrono::milliseconds{200};
    check.timeout = std::chrono::seconds{2};
    check.fails = 2;
    check.passes = 1;
    check.tcp_only = true;
  }
  return check;
}

}  // namespace

void compile_health_check(const Call& call) { call.compiler.defer_health_check(call); }

void compile_match(const Call& call) {
  const auto& name = call.arg(0).text;
  if (call.compiler.find_match(name) != nullptr) {
    return call.error(call.arg(0), "duplicate match " + quote(name));
  }
  MatchConfig match;
  Scope scope;
  scope.contexts = in_match;
  scope.match = &match;
  Block block;
  for (const auto& directive : call.directive.block) {
    const auto& word = directive.name;
    if (word == "header" || word == "body" || word == "require" || word == "send" ||
        word == "expect") {
      call.compiler.diagnostics().error(
          directive.position, word + ": is not supported yet in a match; use status only");
    } else {
      block.push_back(directive);
    }
  }
  call.compiler.walk(block, scope);
  call.compiler.add_match(name, std::move(match));
}

void compile_match_status(const Call& call) {
  auto& match = *call.scope.match;
  std::size_t i = 0;
  std::string_view first = call.arg(0).text;
  if (first.starts_with('!')) {
    match.status_negated = true;
    first.remove_prefix(1);
    if (!first.empty()) take_status(call, call.arg(0), first, match.status);
    i = 1;
  }
  for (; i < call.count(); ++i) take_status(call, call.arg(i), call.arg(i).text, match.status);
  const bool bare = match.status_negated && call.count() == 1 && call.arg(0).text == "!";
  if (bare) call.error("no status is given; write 200 or 200-399");
}

void Compiler::run_deferred_checks() {
  for (const auto& check : checks_) {
    if (diagnostics_.full()) return;
    run_check(check);
  }
  default_checks();
}

void Compiler::run_check(const DeferredCheck& deferred) {
  Scope scope;
  const Call call{*this, scope, deferred.directive, *deferred.info};
  auto index = deferred.upstream;
  if (deferred.location != nullptr && deferred.location->proxy() != nullptr) {
    index = deferred.location->proxy()->upstream;
  }
  if (!index || model_->upstreams[*index].implicit) {
    return call.error(
        "there is no proxy_pass to an upstream block beside it; add one, or put "
        "health_check into the upstream");
  }
  auto& upstream = model_->upstreams[*index];
  if (call.count() == 1 && call.arg(0).text == "off") {
    unchecked_.push_back(*index);
    return;
  }
  if (upstream.health_check) {
    return call.error("upstream " + quote(upstream.name) + " has a health_check already, at " +
                      upstream.health_check->position.text());
  }
  HealthCheckConfig check = default_check(model_->dialect);
  check.position = deferred.directive.position;
  CheckReader reader{call, check, false, {}};
  for (const auto& parameter : parameters(call, 0)) reader.take(parameter);
  if (reader.has_http) check.tcp_only = false;
  if (!reader.type.empty()) check.tcp_only = reader.type == "tcp";
  if (check.tcp_only && reader.has_http) {
    call.error("uri, match and status need type=http");
  }
  if (check.fast_interval > check.interval) check.fast_interval = check.interval;
  upstream.health_check = std::move(check);
}

void Compiler::default_checks() {
  for (std::uint32_t i = 0; i < model_->upstreams.size(); ++i) {
    auto& upstream = model_->upstreams[i];
    bool off = upstream.implicit || upstream.health_check.has_value();
    for (const auto index : unchecked_) off = off || index == i;
    if (off || (model_->dialect != Dialect::yaml && !upstream.nocobase)) continue;
    upstream.health_check = default_check(Dialect::yaml);
    if (upstream.nocobase) {
      upstream.health_check->tcp_only = false;
      upstream.health_check->uri = "/api/__health_check";
      upstream.health_check->status = {{.from = 200, .to = 200}};
    }
    upstream.health_check->position = upstream.position;
  }
}

}  // namespace weir::config
