// The functions that compile directives, one each; called through the table of directives.
// Those of plain settings are made in arguments.h.
#pragma once

#include "config/arguments.h"

namespace weir::config {

// main, events (compile_main.cpp)
void compile_worker_processes(const Call& call);
void compile_worker_connections(const Call& call);
void compile_worker_rlimit_nofile(const Call& call);
// One of `server`'s, or of what else gives peers.
void take_peer_parameter(const Call& call, const Parameter& parameter, PeerConfig& peer);
void compile_worker_shutdown_timeout(const Call& call);
void compile_user(const Call& call);
void compile_pid(const Call& call);
void compile_daemon(const Call& call);
void compile_master_process(const Call& call);
void compile_certificate_watch(const Call& call);
void compile_env(const Call& call);
void compile_working_directory(const Call& call);
void compile_worker_priority(const Call& call);
void compile_worker_rlimit_core(const Call& call);
void compile_block(const Call& call);
void compile_http(const Call& call);
void compile_admin(const Call& call);
void compile_admin_token(const Call& call);
void compile_admin_host(const Call& call);
void compile_control(const Call& call);
void compile_state_file(const Call& call);
void compile_defaults(const Call& call);
void accept(const Call& call);
void accept_only(const Call& call);
void accept_number(const Call& call);
void accept_size(const Call& call);
void accept_time(const Call& call);
void accept_buffers(const Call& call);
// Processors that this process may use.
[[nodiscard]] std::uint32_t processor_count();

// traces (compile_trace.cpp)
void compile_otel_exporter(const Call& call);
void compile_otel_endpoint(const Call& call);
void compile_otel_interval(const Call& call);
void compile_otel_batch_size(const Call& call);
void compile_otel_batch_count(const Call& call);
void compile_otel_header(const Call& call);
void compile_otel_trusted_certificate(const Call& call);
void compile_otel_service_name(const Call& call);
void compile_otel_resource_attr(const Call& call);
void compile_otel_trace(const Call& call);
void compile_otel_span_attr(const Call& call);

// acme_issuer (compile_acme.cpp)
void compile_acme_issuer(const Call& call);
void compile_acme_uri(const Call& call);
void compile_acme_contact(const Call& call);
void compile_acme_challenge(const Call& call);
void compile_acme_account_key(const Call& call);
void compile_acme_external_key(const Call& call);
void compile_acme_profile(const Call& call);
void compile_acme_trusted(const Call& call);
void compile_acme_verify(const Call& call);
void compile_acme_state_path(const Call& call);
void compile_acme_terms(const Call& call);
void compile_acme_retry(const Call& call);
void compile_acme_certificate(const Call& call);

// upstream (compile_upstream.cpp)
void compile_upstream(const Call& call);
void compile_peer(const Call& call);
void compile_ip_hash(const Call& call);
void compile_hash(const Call& call);
void compile_least_conn(const Call& call);
void compile_random(const Call& call);
void compile_least_time(const Call& call);
void compile_balance(const Call& call);
void compile_sticky(const Call& call);
void compile_queue(const Call& call);
void compile_forget(const Call& call);
void compile_eject(const Call& call);
void compile_retry_budget(const Call& call);
void compile_retry_idempotency_key(const Call& call);
void compile_retry_safe(const Call& call);
void compile_unavailable(const Call& call);
void compile_fail_open(const Call& call);
void compile_profile(const Call& call);
void compile_keepalive(const Call& call);
void compile_upstream_proxy_protocol(const Call& call);
void compile_upstream_keepalive_requests(const Call& call);
void compile_upstream_keepalive_time(const Call& call);
void compile_upstream_keepalive_timeout(const Call& call);

// health checks (compile_health.cpp)
void compile_health_check(const Call& call);
void compile_registry(const Call& call);

// what a good answer to them is (compile_match.cpp)
void compile_match(const Call& call);
// What a block of tests says; `where`: the directive that has it.
[[nodiscard]] MatchConfig match_of(const Call& where, const Block& block);
// "200,204" and "!500-599": what `status` says in a block, as one parameter.
void take_status_list(const Call& call, const Argument& at, std::string_view text,
                      MatchConfig& match);
void compile_match_status(const Call& call);
void compile_match_header(const Call& call);
void compile_match_body(const Call& call);
void compile_match_require(const Call& call);
void compile_match_send(const Call& call);
void compile_match_expect(const Call& call);

// server (compile_server.cpp, compile_listen.cpp)
// nginx's rule for names: "*.a", "a.*" or ".a", one star at most, no empty labels inside.
[[nodiscard]] bool valid_name(std::string_view name);
void compile_server(const Call& call);
void compile_server_name(const Call& call);
void compile_listen(const Call& call);

// location (compile_location.cpp)
void compile_location(const Call& call);
void compile_limit_except(const Call& call);
void compile_internal(const Call& call);

// nginx's rewrite module (compile_rules.cpp)
// The variable that `set` and its like assign to; nullopt after an error.
[[nodiscard]] std::optional<VariableRef> assignable(const Call& call, const Argument& argument);
void compile_set(const Call& call);
void compile_break(const Call& call);
void compile_rewrite(const Call& call);
void compile_return(const Call& call);
void compile_if(const Call& call);

// files and answers without a peer (compile_files.cpp, compile_error_page.cpp)
void compile_root(const Call& call);
void compile_index(const Call& call);
void compile_try_files(const Call& call);
void compile_random_index(const Call& call);
void compile_disable_symlinks(const Call& call);
void compile_types(const Call& call);
void compile_default_type(const Call& call);
void compile_error_page(const Call& call);
void compile_empty_gif(const Call& call);
void compile_stub_status(const Call& call);

// access (compile_access.cpp, compile_limit.cpp, compile_referers.cpp)
void compile_access_rule(const Call& call);
void compile_auth_basic_user_file(const Call& call);
void compile_auth_request(const Call& call);
void compile_auth_request_set(const Call& call);
void compile_secure_link(const Call& call);
void compile_valid_referers(const Call& call);
void compile_limit_req_zone(const Call& call);
void compile_limit_req(const Call& call);
void compile_limit_conn_zone(const Call& call);
void compile_limit_conn(const Call& call);

// fields of messages (compile_headers.cpp)
// A name of a header field: a token (RFC 9110 section 5.6.2).
[[nodiscard]] bool valid_field_name(std::string_view name);
void add_set_header(const Call& call, std::optional<std::vector<HeaderValue>>& list);
void add_field_name(const Call& call, std::optional<std::vector<std::string>>& list);
void compile_add_header(const Call& call);
void compile_add_trailer(const Call& call);
void compile_expires(const Call& call);

// proxy (compile_proxy.cpp, compile_proxy_pass.cpp, compile_proxy_rewrite.cpp)
void compile_proxy_pass(const Call& call);
void compile_grpc_pass(const Call& call);
void compile_proxy_http_version(const Call& call);
void compile_proxy_set_body(const Call& call);
void set_bind(const Call& call, std::optional<ProxyBind>& setting);
void compile_proxy_buffers(const Call& call);
void compile_proxy_store(const Call& call);
void compile_proxy_store_access(const Call& call);
void compile_proxy_cache(const Call& call);
void compile_proxy_cache_path(const Call& call);
void compile_proxy_redirect(const Call& call);
void compile_proxy_cookie_domain(const Call& call);
void compile_proxy_cookie_path(const Call& call);
void compile_proxy_cookie_flags(const Call& call);

// TLS (compile_tls.cpp)
void compile_ssl(const Call& call);
void compile_ssl_certificate(const Call& call);
void compile_ssl_certificate_key(const Call& call);
void compile_ssl_password_file(const Call& call);
void compile_ssl_protocols(const Call& call);
void compile_ssl_ciphers(const Call& call);
void compile_ssl_ecdh_curve(const Call& call);
void compile_ssl_dhparam(const Call& call);
void compile_ssl_conf_command(const Call& call);
void compile_ssl_session_cache(const Call& call);
void compile_ssl_session_timeout(const Call& call);
void compile_ssl_session_ticket_key(const Call& call);
void compile_ssl_buffer_size(const Call& call);
void compile_ssl_handshake_timeout(const Call& call);
void compile_ssl_client_certificate(const Call& call);
void compile_ssl_trusted_certificate(const Call& call);
void compile_ssl_crl(const Call& call);
void compile_ssl_stapling_file(const Call& call);
void compile_ssl_stapling_responder(const Call& call);
// With peers; also for the words that gRPC has for the same.
void set_certificates(const Call& call, std::optional<TlsFile>& setting);
void set_pem_file(const Call& call, std::optional<TlsFile>& setting);
void set_crl(const Call& call, std::optional<TlsFile>& setting);
void set_tls_versions(const Call& call, std::optional<std::uint32_t>& setting);
void set_peer_ciphers(const Call& call, std::optional<std::string>& setting);
void add_peer_command(const Call& call, std::optional<std::vector<TlsCommand>>& setting);

// filters (compile_filters.cpp, compile_charset.cpp)
void compile_gzip_disable(const Call& call);
void compile_gzip_window(const Call& call);
void compile_gzip_hash(const Call& call);
void compile_sub_filter(const Call& call);
void compile_mirror(const Call& call);
void compile_charset(const Call& call);
void compile_source_charset(const Call& call);
void compile_charset_types(const Call& call);
void compile_charset_map(const Call& call);

// client side (compile_request.cpp)
void compile_keepalive_timeout(const Call& call);
void compile_large_client_header_buffers(const Call& call);
void compile_set_real_ip_from(const Call& call);
void compile_real_ip_header(const Call& call);
void compile_resolver(const Call& call);
void compile_resolver_timeout(const Call& call);

// variables (compile_map.cpp, compile_geo.cpp, compile_split_clients.cpp)
// The variable that a block such as `map` makes: its index. nullopt after an error.
[[nodiscard]] std::optional<std::uint32_t> made_variable(const Call& call,
                                                         const Argument& argument);
void compile_map(const Call& call);
void compile_geo(const Call& call);
void compile_split_clients(const Call& call);

// logs (compile_log.cpp)
void compile_access_log(const Call& call);
void compile_log_format(const Call& call);
void compile_error_log(const Call& call);
void compile_error_log_limit(const Call& call);

}  // namespace weir::config
