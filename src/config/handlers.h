// The functions that compile directives, one each; called through the table of directives.
#pragma once

#include "config/compiler.h"
#include "config/suggest.h"
#include "config/text.h"
#include "config/units.h"

namespace weir::config {

// main, events (compile_main.cpp)
void compile_worker_processes(const Call& call);
void compile_worker_connections(const Call& call);
void compile_worker_rlimit_nofile(const Call& call);
void compile_worker_shutdown_timeout(const Call& call);
void compile_user(const Call& call);
void compile_pid(const Call& call);
void compile_block(const Call& call);
void compile_http(const Call& call);
void compile_admin(const Call& call);
void compile_defaults(const Call& call);
void accept(const Call& call);
void accept_only(const Call& call);
// Processors that this process may use.
[[nodiscard]] std::uint32_t processor_count();

// upstream (compile_upstream.cpp)
void compile_upstream(const Call& call);
void compile_peer(const Call& call);
void compile_ip_hash(const Call& call);
void compile_balance(const Call& call);
void compile_keepalive(const Call& call);
void compile_upstream_keepalive_requests(const Call& call);
void compile_upstream_keepalive_time(const Call& call);
void compile_upstream_keepalive_timeout(const Call& call);

// health checks (compile_health.cpp)
void compile_health_check(const Call& call);
void compile_match(const Call& call);
void compile_match_status(const Call& call);

// server (compile_server.cpp, compile_listen.cpp)
// nginx's rule for names: "*.a", "a.*" or ".a", one star at most, no empty labels inside.
[[nodiscard]] bool valid_name(std::string_view name);
void compile_server(const Call& call);
void compile_server_name(const Call& call);
void compile_listen(const Call& call);

// location (compile_location.cpp)
void compile_location(const Call& call);
void compile_return(const Call& call);

// proxy (compile_proxy.cpp, compile_proxy_pass.cpp)
void compile_proxy_pass(const Call& call);
void compile_proxy_set_header(const Call& call);
void compile_proxy_http_version(const Call& call);
void compile_proxy_next_upstream(const Call& call);
void compile_proxy_hide_header(const Call& call);
void compile_proxy_redirect(const Call& call);
void compile_proxy_pass_header(const Call& call);
void compile_add_header(const Call& call);

// client side (compile_request.cpp)
void compile_keepalive_timeout(const Call& call);
void compile_large_client_header_buffers(const Call& call);
void compile_set_real_ip_from(const Call& call);
void compile_real_ip_header(const Call& call);
void compile_default_type(const Call& call);
void compile_server_tokens(const Call& call);

// map (compile_map.cpp)
void compile_map(const Call& call);

// logs (compile_log.cpp)
void compile_access_log(const Call& call);
void compile_log_format(const Call& call);
void compile_error_log(const Call& call);

// ---- the plain ones ------------------------------------------------------------------------

[[nodiscard]] std::optional<Duration> time_argument(const Call& call, const Argument& argument);
[[nodiscard]] std::optional<std::uint64_t> size_argument(const Call& call,
                                                         const Argument& argument);
[[nodiscard]] std::optional<std::uint32_t> number_argument(const Call& call,
                                                           const Argument& argument,
                                                           std::uint32_t least,
                                                           std::uint32_t greatest);

template <auto Member>
void set_time(const Call& call) {
  if (const auto time = time_argument(call, call.arg(0))) call.scope.settings->*Member = *time;
}
template <auto Member>
void set_size(const Call& call) {
  if (const auto size = size_argument(call, call.arg(0))) call.scope.settings->*Member = *size;
}
template <auto Member>
void set_number(const Call& call) {
  const auto number = number_argument(call, call.arg(0), 0, 0x7fffffff);
  if (number) call.scope.settings->*Member = *number;
}
// The argument was checked to be `on` or `off`.
template <auto Member>
void set_flag(const Call& call) {
  call.scope.settings->*Member = lower(call.arg(0).text) == "on";
}

}  // namespace weir::config
