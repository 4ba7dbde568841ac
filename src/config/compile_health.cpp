#include "config/handlers.h"

namespace weir::config {
namespace {

constexpr std::uint32_t kMaxCount = 1000;
constexpr std::uint32_t kMaxGrpcStatus = 16;  // UNAUTHENTICATED is the last one that there is

// One health_check being read.
struct CheckReader {
  const Call& call;
  HealthCheckConfig& check;
  std::optional<CheckType> type = {};
  std::optional<Duration> grace = {};
  const Argument* grpc_only = nullptr;
  const Argument* http_only = nullptr;  // a parameter that only HTTP checks have
  std::optional<MatchConfig> match = {};
  std::optional<MatchConfig> status = {};  // only its status

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
      http_only = parameter.argument;
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
      http_only = parameter.argument;
      take_status_list(call, *parameter.argument, parameter.value, status.emplace());
    } else if (key == "match") {
      take_match(parameter);
    } else if (key == "type") {
      take_type(parameter);
    } else if (key == "keepalive_time") {
      http_only = parameter.argument;
      time(parameter, check.keepalive_time, true);
    } else if (key == "grace") {
      time(parameter, grace.emplace(), true);
    } else if (key == "grpc_service") {
      grpc_only = parameter.argument;
      check.grpc_service = parameter.value;
    } else if (key == "grpc_status") {
      grpc_only = parameter.argument;
      const auto code = number_argument(call, value_of(parameter), 0, kMaxGrpcStatus);
      if (code) check.grpc_status = *code;
    } else if (key == "mandatory") {
      check.mandatory = true;
    } else if (key == "off") {
      call.error(*parameter.argument, "\"off\" stands alone");
    }
  }

  void take_type(const Parameter& parameter) {
    if (parameter.value == "http") {
      type = CheckType::http;
    } else if (parameter.value == "tcp") {
      type = CheckType::tcp;
    } else if (parameter.value == "grpc") {
      type = CheckType::grpc;
    } else {
      call.error(*parameter.argument,
                 "unknown type " + quote(parameter.value) + "; use http, tcp or grpc");
    }
  }

  void take_match(const Parameter& parameter) {
    const auto* found = call.compiler.find_match(std::string(parameter.value));
    if (found == nullptr) {
      return call.error(*parameter.argument, "unknown match " + quote(parameter.value) +
                                                 "; define it: match NAME { status 200; }");
    }
    match = *found;
  }

  // After all parameters: those that depend on each other. `stream`: HTTP has to be asked for.
  void finish(bool stream) {
    if (call.directive.has_block) {
      if (match) call.error("has a match by name and one of its own; remove one");
      match = match_of(call, call.directive.block);
    }
    const bool tcp = match && match->for_tcp();
    const bool http = http_only != nullptr || (match && match->for_http());
    if (type) {
      check.type = *type;
    } else if (tcp) {
      check.type = CheckType::tcp;
    } else if (http || (match && !stream)) {
      check.type = CheckType::http;
    } else if (stream) {
      check.type = CheckType::tcp;
    }
    check_parts(http, tcp);
    if (match) check.match = *match;
    if (status) {
      check.match.status = status->status;
      check.match.status_negated = status->status_negated;
    }
    if (check.type != CheckType::http) check.match.status.clear();
    if (check.fast_interval > check.interval) check.fast_interval = check.interval;
    if (grace) {
      check.grace = *grace;
    } else if (check.mandatory) {
      check.grace = std::chrono::seconds{1};
    }
  }

  // What is said must fit the type. `http`, `tcp`: there are tests of that type.
  void check_parts(bool http, bool tcp) const {
    if (check.type != CheckType::http && http) {
      call.error("uri, status, keepalive_time and the tests of an answer need type=http");
    } else if (check.type != CheckType::tcp && tcp) {
      call.error("send and expect need type=tcp");
    } else if (check.type != CheckType::grpc && grpc_only != nullptr) {
      call.error(*grpc_only, "grpc_service and grpc_status need type=grpc");
    }
  }
};

// What nginx has when health_check stands without parameters, or weir when it is on by itself.
HealthCheckConfig default_check(Dialect dialect, bool nocobase) {
  HealthCheckConfig check;
  check.match.status.push_back({.from = 200, .to = 399});
  if (dialect == Dialect::yaml) {
    check.interval = std::chrono::seconds{1};
    check.fast_interval = std::chrono::milliseconds{200};
    check.timeout = std::chrono::seconds{2};
    check.fails = 2;
    check.passes = 1;
    check.type = CheckType::tcp;
    check.grace = std::chrono::seconds{1};
  }
  if (nocobase) {
    // Any other path is answered with 200 before the node can serve.
    check.type = CheckType::http;
    check.uri = "/api/__health_check";
    check.match.status = {{.from = 200, .to = 200}};
  }
  return check;
}

// One of the two would tell nothing that the other does not.
bool asks_the_same(const HealthCheckConfig& a, const HealthCheckConfig& b) {
  return a.type == b.type && a.uri == b.uri && a.host == b.host && a.port == b.port &&
         a.grpc_service == b.grpc_service && a.match == b.match;
}

}  // namespace

void compile_health_check(const Call& call) { call.compiler.defer_health_check(call); }

void Compiler::run_deferred_checks() {
  for (const auto& check : checks_) {
    if (diagnostics_.full()) return;
    if (check.stream) enter_stream();
    run_check(check);
    if (check.stream) leave_stream();
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
  if (deferred.stream_server != nullptr) index = deferred.stream_server->upstream;
  if (!index || model_->upstreams[*index].implicit) {
    return call.error(
        "there is no proxy_pass to an upstream block beside it; add one, or put "
        "health_check into the upstream");
  }
  auto& upstream = model_->upstreams[*index];
  if (call.count() == 1 && call.arg(0).text == "off") {
    if (call.directive.has_block) return call.error("\"off\" stands alone");
    unchecked_.push_back(*index);
    return;
  }
  HealthCheckConfig check = default_check(model_->dialect, upstream.nocobase);
  check.position = deferred.directive.position;
  CheckReader reader{call, check};
  for (const auto& parameter : parameters(call, 0)) reader.take(parameter);
  reader.finish(deferred.stream);
  for (const auto& other : upstream.health_checks) {
    if (!asks_the_same(check, other)) continue;
    return call.error("upstream " + quote(upstream.name) +
                      " has a health_check already that asks the same, at " +
                      other.position.text() +
                      "; several of them differ in type, uri, host, port, "
                      "grpc_service or match");
  }
  upstream.health_checks.push_back(std::move(check));
}

void Compiler::default_checks() {
  for (std::uint32_t i = 0; i < model_->upstreams.size(); ++i) {
    auto& upstream = model_->upstreams[i];
    bool off = upstream.implicit || !upstream.health_checks.empty();
    for (const auto index : unchecked_) off = off || index == i;
    if (off || (model_->dialect != Dialect::yaml && !upstream.nocobase)) continue;
    auto& check =
        upstream.health_checks.emplace_back(default_check(Dialect::yaml, upstream.nocobase));
    if (!upstream.nocobase) check.match.status.clear();
    check.position = upstream.position;
  }
}

}  // namespace weir::config
