#include "config/directive_rows.h"

namespace weir::config {
namespace {

constexpr UnsupportedGroup kGroups[] = {
    {"ssl_ocsp", Absence::yet, "list what is revoked in a file, and name it by ssl_crl"},
    {"ssl_ech_file ssl_key_log proxy_ssl_alpn proxy_ssl_key_log grpc_ssl_key_log", Absence::yet,
     "remove it"},
    {"http3 http3_hq "
     "http3_max_concurrent_streams http3_stream_buffer_size quic_active_connection_id_limit "
     "quic_bpf quic_gso quic_host_key quic_retry",
     Absence::yet, "clients are served HTTP/1.1; remove it"},
    {"preferred_chain common_name_in_csr", Absence::yet, "remove it"},
    {"sticky_cookie_insert", Absence::yet, "use sticky cookie"},
    {"ntlm state zone_sync", Absence::yet, "remove it"},
    {"proxy_allow_upstream grpc_allow_upstream proxy_request_dynamic grpc_request_dynamic "
     "client_body_early_read",
     Absence::yet, "remove it"},

    {"fastcgi_* uwsgi_* scgi_* memcached_* tunnel_*", Absence::never,
     "peers are spoken to in HTTP: use proxy_pass, to a server that speaks to the application"},
    {"mail imap_auth pop3_auth smtp_auth auth_http mgmt", Absence::never,
     "weir does not speak the protocols of mail: forward them by a server in stream, or keep nginx "
     "for it"},
    {"pass proxy_protocol_tlv ssl_alpn", Absence::yet, "remove it"},
    {"perl perl_*", Absence::never, "use `map`, `set` and `rewrite` where they will do"},
    {"image_filter image_filter_* xslt_* xml_entities xml_external_entities "
     "slice",
     Absence::never, "let a peer do it, behind proxy_pass"},
    {"dav_access dav_methods create_full_put_path min_delete_depth", Absence::never,
     "files are only read: let a peer take them, behind proxy_pass"},
    {"geoip_*", Absence::never, "write the networks into a `geo` block"},
    {"userid userid_*", Absence::never,
     "remove it; $request_id and $cookie_NAME are there for logs"},
    {"browser ancient_browser ancient_browser_value modern_browser modern_browser_value",
     Absence::never, "use a `map` of $http_user_agent"},
    {"auth_jwt auth_jwt_*", Absence::never, "use auth_request with a service that checks tokens"},
    {"keyval keyval_zone", Absence::never, "use a `map` and a reload"},
    {"api status_zone", Absence::never, "the `admin` listener has metrics and state; remove it"},
    {"proxy_cache_purge", Absence::never, "answers are not cached; remove it"},
    {"post_action", Absence::never, "use `mirror`, or remove it"},
    {"google_perftools_profiles degradation degrade limit_zone "
     "map_hash ssl_dyn_rec*",
     Absence::never, "remove it"},

    {"js_*", Absence::never, "use `map`, `set` and `rewrite` where they will do"},

    {"more_set_headers", Absence::foreign, "use add_header ... always and proxy_hide_header"},
    {"more_clear_headers", Absence::foreign, "use proxy_hide_header"},
    {"more_set_input_headers more_clear_input_headers", Absence::foreign, "use proxy_set_header"},
    {"vhost_traffic_status vhost_traffic_status_* check_status req_status req_status_*",
     Absence::foreign, "the `admin` listener has metrics; remove it"},
    {"check check_http_send check_http_expect_alive check_keepalive_requests check_shm_size "
     "check_fastcgi_param",
     Absence::foreign, "use health_check in the upstream"},
    {"upstream_keepalive_*", Absence::foreign,
     "keepalive in the upstream keeps connections; remove it"},
    {"fair", Absence::foreign, "use least_conn"},
    {"consistent_hash", Absence::foreign, "use hash KEY consistent"},
    {"jvm_route session_sticky sticky_*", Absence::foreign,
     "use ip_hash, or hash with a cookie as its key"},
    {"lua_* access_by_lua* balancer_by_lua* body_filter_by_lua* content_by_lua* "
     "exit_worker_by_lua* header_filter_by_lua* init_by_lua* init_worker_by_lua* log_by_lua* "
     "rewrite_by_lua* set_by_lua* ssl_certificate_by_lua*",
     Absence::foreign, "use `map`, `set` and `rewrite` where they will do"},
    {"echo echo_*", Absence::foreign, "use return 200 TEXT"},
    {"geoip2 geoip2_*", Absence::foreign, "write the networks into a `geo` block"},
    {"subs_filter subs_filter_*", Absence::foreign, "use sub_filter"},
    {"modsecurity modsecurity_* SecRulesEnabled SecRulesDisabled testcookie testcookie_* auth_ldap "
     "auth_ldap_* auth_pam auth_pam_* auth_digest auth_digest_*",
     Absence::foreign, "nothing is protected without it: protect it elsewhere, then remove it"},
    {"pagespeed fancyindex fancyindex_* concat concat_* upload_* push_stream_* nchan_* rtmp "
     "rtmp_* passenger_* opentracing opentracing_* opentelemetry opentelemetry_* "
     "set_unescape_uri set_escape_uri set_random set_md5 set_if_empty redis_pass redis2_* "
     "srcache_* memc_* proxy_connect proxy_connect_allow proxy_connect_address brotli_dict* "
     "cache_purge",
     Absence::foreign, "remove it"},
};

}  // namespace

std::span<const UnsupportedGroup> unsupported_directives() { return kGroups; }

}  // namespace weir::config
