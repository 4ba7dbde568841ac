#include <sched.h>

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

std::optional<Duration> time_argument(const Call& call, const Argument& argument) {
  const auto time = parse_time(argument.text);
  if (!time) call.error(argument, "invalid time " + quote(argument.text) + "; write 30s or 1h30m");
  return time;
}

std::optional<std::uint64_t> size_argument(const Call& call, const Argument& argument) {
  const auto size = parse_size(argument.text);
  if (!size)
    call.error(argument, "invalid size " + quote(argument.text) + "; write 512, 16k or 1m");
  return size;
}

std::optional<std::uint32_t> number_argument(const Call& call, const Argument& argument,
                                             std::uint32_t least, std::uint32_t greatest) {
  const auto number = parse_number(argument.text);
  if (!number || *number < least || *number > greatest) {
    call.error(argument, "invalid number " + quote(argument.text) + "; it must be from " +
                             std::to_string(least) + " to " + std::to_string(greatest));
    return std::nullopt;
  }
  return static_cast<std::uint32_t>(*number);
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

void compile_user(const Call& call) {
  call.compiler.model().user = call.arg(0).text;
  if (call.count() > 1 && call.arg(1).text != call.arg(0).text) {
    call.compiler.accepted(call, "the group is the one of the user");
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
  if (admin.listens.empty()) {
    return call.error("no address to listen on; write listen 127.0.0.1:9180");
  }
  call.compiler.model().admin = std::move(admin);
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

}  // namespace weir::config
