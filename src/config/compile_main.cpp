#include <sched.h>
#include <sys/un.h>

#include <algorithm>

#include "config/handlers.h"

namespace weir::config {
namespace {
constexpr std::uint32_t kMaxWorkers = 512;
}  // namespace

std::uint32_t processor_count() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  const int count = CPU_COUNT(&set);
  return count < 1 ? 1 : static_cast<std::uint32_t>(count);
}

void compile_worker_processes(const Call& call) {
  auto& workers = call.compiler.model().workers;
  if (call.arg(0).text == "auto") {
    workers = processor_count();
  } else if (const auto number = number_argument(call, call.arg(0), 1, kMaxWorkers)) {
    workers = *number;
  }
}

void compile_worker_connections(const Call& call) {
  const auto number = number_argument(call, call.arg(0), 1, 0x7fffffff);
  if (number) call.compiler.model().worker_connections = *number;
}

void compile_worker_rlimit_nofile(const Call& call) {
  const auto number = number_argument(call, call.arg(0), 1, 0x7fffffff);
  if (number) call.compiler.model().rlimit_nofile = *number;
}

void compile_worker_shutdown_timeout(const Call& call) {
  if (const auto time = time_argument(call, call.arg(0))) {
    call.compiler.model().shutdown_timeout = *time;
  }
}

void compile_certificate_watch(const Call& call) {
  auto& watch = call.compiler.model().certificate_watch;
  if (call.arg(0).text == "off") {
    watch = Duration{0};
  } else if (const auto time = time_argument(call, call.arg(0))) {
    constexpr Duration kLeast{50};
    if (*time < kLeast) return call.error(call.arg(0), "too often; write 1s, or off");
    watch = *time;
  }
}

void compile_user(const Call& call) {
  auto& model = call.compiler.model();
  model.user = call.arg(0).text;
  if (call.count() > 1) model.process.group = call.arg(1).text;
  model.process.user_position = call.directive.position;
}

void compile_daemon(const Call& call) {
  call.compiler.model().process.daemon = lower(call.arg(0).text) == "on";
}

void compile_master_process(const Call& call) {
  call.compiler.model().process.master_process = lower(call.arg(0).text) == "on";
}

void compile_env(const Call& call) {
  const auto& text = call.arg(0).text;
  const auto equals = text.find('=');
  if (equals == 0 || text.empty()) return call.error(call.arg(0), "the name is missing");
  ProcessConfig::EnvironmentEntry entry{text.substr(0, equals), std::nullopt};
  if (equals != std::string::npos) entry.value = text.substr(equals + 1);
  call.compiler.model().process.environment.push_back(std::move(entry));
}

void compile_working_directory(const Call& call) {
  call.compiler.model().process.working_directory = call.compiler.path(call.arg(0).text);
}

void compile_worker_priority(const Call& call) {
  constexpr std::uint32_t kLeast = 20;
  constexpr std::uint32_t kMost = 19;
  std::string_view digits = call.arg(0).text;
  const bool negative = digits.starts_with('-');
  if (negative) digits.remove_prefix(1);
  const auto number = parse_number(digits);
  if (!number || *number > (negative ? kLeast : kMost)) {
    return call.error(call.arg(0), "invalid priority " + quote(call.arg(0).text) +
                                       "; it must be from -20 (first) to 19 (last)");
  }
  const auto value = static_cast<int>(*number);
  call.compiler.model().process.priority = negative ? -value : value;
}

void compile_worker_rlimit_core(const Call& call) {
  if (const auto size = size_argument(call, call.arg(0))) {
    call.compiler.model().process.rlimit_core = *size;
  }
}

void compile_pid(const Call& call) {
  call.compiler.model().pid_path = call.compiler.path(call.arg(0).text);
}

void compile_block(const Call& call) {
  Scope scope = call.scope;
  scope.contexts = call.info.inner;
  call.compiler.walk(call.directive.block, scope);
}

void compile_http(const Call& call) {
  Scope scope = call.scope;
  scope.contexts = in_http;
  call.compiler.walk(call.directive.block, scope);
}

void compile_admin(const Call& call) {
  AdminConfig admin;
  admin.position = call.directive.position;
  Scope scope;
  scope.contexts = in_admin;
  scope.admin = &admin;
  call.compiler.walk(call.directive.block, scope);
  const bool other = !admin.control.empty() || !admin.has_control || !admin.state_file.empty();
  if (admin.listens.empty() && (!other || !admin.token.empty())) {
    return call.error("no address to listen on; write listen 127.0.0.1:9180");
  }
  for (const auto& listen : admin.listens) {
    const auto& endpoint = listen.endpoint;
    const auto host = endpoint.ip.host_text();
    if (endpoint.is_unix() || host.starts_with("127.") || host == "::1") continue;
    call.compiler.accepted(call, "whoever reaches " + listen.text +
                                     " sees pools, peers and metrics; changes take the token");
  }
  call.compiler.model().admin = std::move(admin);
}

void compile_admin_token(const Call& call) {
  constexpr std::size_t kLeast = 16;
  const auto& text = call.arg(0).text;
  const auto visible = [](char c) { return c > ' ' && c < 0x7f; };
  if (!std::all_of(text.begin(), text.end(), visible)) {
    return call.error(call.arg(0), "a token is of letters, digits and signs of ASCII");
  }
  if (text.size() < kLeast) {
    return call.error(call.arg(0), "the token is too short to be a secret; write " +
                                       std::to_string(kLeast) + " letters or more");
  }
  call.scope.admin->token = text;
}

void compile_admin_host(const Call& call) {
  for (std::size_t i = 0; i < call.directive.args.size(); ++i) {
    std::string name;
    for (const char c : call.arg(i).text) name += c >= 'A' && c <= 'Z' ? char(c + 32) : c;
    const bool is_name = std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
    });
    if (name.empty() || !is_name) {
      return call.error(call.arg(i), "invalid host name " + quote(call.arg(i).text) +
                                         "; write it without scheme and port");
    }
    call.scope.admin->hosts.push_back(std::move(name));
  }
}

void compile_control(const Call& call) {
  auto& admin = *call.scope.admin;
  admin.has_control = call.arg(0).text != "off";
  if (!admin.has_control) return;
  if (call.arg(0).text.empty()) {
    return call.error(call.arg(0), "a path is wanted, or \"off\"");
  }
  constexpr std::size_t kMost = sizeof(sockaddr_un::sun_path) - 1;
  admin.control = call.compiler.path(call.arg(0).text);
  if (admin.control.size() > kMost) {
    call.error(call.arg(0), "the path is too long for a Unix socket; write " +
                                std::to_string(kMost) + " letters or fewer");
  }
}

void compile_state_file(const Call& call) {
  const auto& name = call.arg(0).text;
  if (name.empty() || name == "off") {
    return call.error(call.arg(0),
                      "a path is wanted: what operators set is always kept; leave it out for the "
                      "one beside the pid file");
  }
  call.scope.admin->state_file = call.compiler.path(call.arg(0).text);
}

// The dialect itself was set before anything was compiled.
void compile_defaults(const Call& call) {
  if (call.arg(0).text != "nginx" && call.arg(0).text != "careful") {
    call.error(call.arg(0),
               "unknown set of defaults " + quote(call.arg(0).text) + "; use nginx or careful");
  }
}

void accept(const Call& call) { call.compiler.accepted(call, call.info.help); }

// default_text holds the one value that is accepted.
void accept_only(const Call& call) {
  const auto only = call.info.default_text;
  if (call.count() == 1 && call.arg(0).text == only) return accept(call);
  if (!call.compiler.report_once(call.directive.name)) return;
  const auto advice = unsupported_advice(call.directive.name);
  call.error("nginx has this directive, weir supports only " + quote(only) + " yet; " +
             (advice.empty() ? std::string("remove it") : std::string(advice)));
}

void accept_number(const Call& call) {
  if (number_argument(call, call.arg(0), 0, 0x7fffffff)) accept(call);
}

void accept_size(const Call& call) {
  if (size_argument(call, call.arg(0))) accept(call);
}

void accept_time(const Call& call) {
  if (time_argument(call, call.arg(0))) accept(call);
}

// COUNT SIZE
void accept_buffers(const Call& call) {
  if (number_argument(call, call.arg(0), 1, 0x7fffffff) && size_argument(call, call.arg(1))) {
    accept(call);
  }
}

}  // namespace weir::config
