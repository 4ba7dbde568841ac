#include "config/directive_rows.h"

namespace weir::config {
namespace {

constexpr UnsupportedGroup kGroups[] = {
    {"ssl ssl_certificate ssl_certificate_cache ssl_certificate_key ssl_client_certificate "
     "ssl_conf_command ssl_crl ssl_ech_file ssl_key_log ssl_ocsp ssl_password_file "
     "ssl_reject_handshake ssl_trusted_certificate ssl_verify_client",
     "end TLS before weir"},
    {"proxy_ssl_alpn proxy_ssl_certificate proxy_ssl_certificate_cache proxy_ssl_certificate_key "
     "proxy_ssl_ciphers proxy_ssl_conf_command proxy_ssl_crl proxy_ssl_key_log proxy_ssl_name "
     "proxy_ssl_password_file proxy_ssl_protocols proxy_ssl_server_name proxy_ssl_session_reuse "
     "proxy_ssl_trusted_certificate proxy_ssl_verify proxy_ssl_verify_depth",
     "peers are spoken to in plain HTTP"},
    {"http2 http2_body_preread_size http2_chunk_size http2_idle_timeout "
     "http2_max_concurrent_pushes http2_max_concurrent_streams http2_max_field_size "
     "http2_max_header_size http2_max_requests http2_push http2_push_preload "
     "http2_recv_buffer_size http2_recv_timeout http3 http3_hq http3_max_concurrent_streams "
     "http3_stream_buffer_size quic_active_connection_id_limit quic_bpf quic_gso quic_host_key "
     "quic_retry",
     "clients are served HTTP/1.1; remove it"},
    {"root alias index try_files autoindex random_index internal error_page gzip_static gunzip "
     "sub_filter sub_filter_last_modified sub_filter_once sub_filter_types addition_types "
     "add_after_body add_before_body image_filter slice mp4 flv dav_access dav_methods "
     "create_full_put_path min_delete_depth empty_gif recursive_error_pages expires charset "
     "charset_map charset_types override_charset source_charset ssi ssi_last_modified "
     "ssi_min_file_chunk ssi_silent_errors ssi_types ssi_value_length xslt_stylesheet "
     "add_trailer add_header_inherit add_trailer_inherit disable_symlinks stub_status "
     "max_ranges mp4_buffer_size mp4_max_buffer_size xml_entities xslt_types "
     "client_body_in_file_only absolute_redirect port_in_redirect server_name_in_redirect",
     "weir answers only with what peers send and with `return`; remove it, or serve files "
     "elsewhere"},
    {"if set rewrite break rewrite_log uninitialized_variable_warn",
     "use several locations, `map` and `return`"},
    {"limit_except allow deny auth_basic auth_basic_user_file auth_delay auth_request "
     "auth_request_set auth_jwt satisfy secure_link secure_link_md5 secure_link_secret "
     "valid_referers referer_hash_bucket_size referer_hash_max_size",
     "nothing is protected without it, so weir does not start: protect it elsewhere"},
    {"limit_req limit_req_zone limit_req_dry_run limit_req_log_level limit_req_status limit_conn "
     "limit_conn_zone limit_conn_dry_run limit_conn_log_level limit_conn_status limit_rate "
     "limit_rate_after limit_zone proxy_limit_rate",
     "limits are not there yet; remove it"},
    {"proxy_cache proxy_cache_path proxy_cache_purge proxy_store proxy_store_access",
     "answers are not cached; remove it"},
    {"proxy_bind proxy_cookie_domain proxy_cookie_flags proxy_cookie_path proxy_force_ranges "
     "proxy_ignore_client_abort proxy_ignore_headers proxy_intercept_errors proxy_method "
     "proxy_pass_request_body proxy_pass_request_headers proxy_set_body "
     "proxy_allow_upstream proxy_request_dynamic early_hints chunked_transfer_encoding",
     "remove it, or keep nginx for this location"},
    {"least_conn least_time hash random sticky sticky_cookie_insert queue ntlm resolver state "
     "zone_sync",
     "use round robin (no directive) or ip_hash"},
    {"geo geoip_city geoip_country geoip_org geoip_proxy geoip_proxy_recursive split_clients "
     "map_hash userid userid_domain userid_expires userid_flags userid_mark userid_name "
     "userid_p3p userid_path userid_service browser ancient_browser ancient_browser_value "
     "modern_browser modern_browser_value js_import js_content js_set js_include js_path perl "
     "perl_modules perl_require perl_set",
     "use `map` where it will do"},
    {"mirror mirror_request_body post_action keyval keyval_zone api status_zone otel_exporter "
     "otel_trace proxy_upload_rate image_filter_buffer",
     "remove it"},
    {"fastcgi_pass fastcgi_index fastcgi_param fastcgi_buffers fastcgi_buffer_size "
     "fastcgi_read_timeout fastcgi_send_timeout fastcgi_connect_timeout fastcgi_split_path_info "
     "fastcgi_intercept_errors fastcgi_cache fastcgi_cache_path fastcgi_hide_header "
     "fastcgi_pass_header uwsgi_pass uwsgi_param uwsgi_read_timeout scgi_pass scgi_param "
     "grpc_pass grpc_set_header grpc_read_timeout grpc_send_timeout grpc_connect_timeout "
     "memcached_pass tunnel_pass",
     "peers are spoken to in HTTP; use proxy_pass"},
    {"stream mail ssl_preread proxy_timeout proxy_responses proxy_protocol "
     "proxy_protocol_timeout preread_timeout imap_auth pop3_auth smtp_auth auth_http mgmt",
     "weir balances HTTP only; remove the block"},
    {"google_perftools_profiles degradation degrade ssl_dyn_rec", "remove it"},
};

}  // namespace

std::span<const UnsupportedGroup> unsupported_directives() { return kGroups; }

}  // namespace weir::config
