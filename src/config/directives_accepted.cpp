#include "config/directive_rows.h"
#include "config/directives.h"

namespace weir::config {
namespace {

constexpr std::uint32_t M = in_main, E = in_events, H = in_http, S = in_server, L = in_location;
constexpr std::uint32_t HSL = H | S | L;

constexpr AcceptedGroup kGroups[] = {
    {"daemon master_process", M, "", "how weir runs is told on its command line"},
    {"load_module", M, "", "weir has no modules to load"},
    {"env worker_cpu_affinity worker_priority worker_rlimit_core working_directory "
     "timer_resolution pcre_jit thread_pool lock_file debug_points ssl_engine",
     M, "", "tuning of nginx's processes has no meaning here"},
    {"use multi_accept accept_mutex accept_mutex_delay worker_aio_requests debug_connection", E, "",
     "weir has its own event loop"},
    {"sendfile sendfile_max_chunk tcp_nopush tcp_nodelay aio aio_write directio "
     "directio_alignment output_buffers postpone_output read_ahead subrequest_output_buffer_size",
     HSL, "", "weir chooses how it reads and writes"},
    {"reset_timedout_connection proxy_socket_keepalive keepalive_disable keepalive_min_timeout "
     "lingering_close msie_padding msie_refresh proxy_pass_trailers",
     HSL, "", "weir decides this by itself"},
    {"types_hash_bucket_size types_hash_max_size proxy_headers_hash_bucket_size "
     "proxy_headers_hash_max_size",
     HSL, "", "tables grow by themselves"},
    {"server_names_hash_bucket_size server_names_hash_max_size variables_hash_bucket_size "
     "variables_hash_max_size map_hash_bucket_size map_hash_max_size connection_pool_size "
     "request_pool_size",
     H | S, "", "tables grow by themselves"},
    {"proxy_buffers proxy_busy_buffers_size", HSL, "", "weir sizes its buffers by itself"},
    {"proxy_max_temp_file_size proxy_temp_file_write_size proxy_temp_path client_body_temp_path "
     "fastcgi_temp_path uwsgi_temp_path scgi_temp_path client_body_in_single_buffer",
     HSL, "", "weir writes no temporary files"},
    {"gzip gzip_buffers gzip_comp_level gzip_disable gzip_hash gzip_http_version gzip_min_length "
     "gzip_no_buffer gzip_proxied gzip_types gzip_vary gzip_window gzip_static",
     HSL, "", "answers are not compressed yet"},
    {"proxy_cache_bypass proxy_no_cache proxy_cache_key proxy_cache_valid proxy_cache_methods "
     "proxy_cache_min_uses proxy_cache_lock proxy_cache_lock_age proxy_cache_lock_timeout "
     "proxy_cache_use_stale proxy_cache_revalidate proxy_cache_background_update "
     "proxy_cache_convert_head proxy_cache_max_range_offset",
     HSL, "", "answers are not cached"},
    {"open_file_cache open_file_cache_errors open_file_cache_min_uses open_file_cache_valid "
     "open_log_file_cache log_subrequest etag if_modified_since max_ranges autoindex_exact_size "
     "autoindex_format autoindex_localtime",
     HSL, "", "weir serves no files yet"},
    {"resolver resolver_timeout", HSL, "", "names are resolved as the system is set up to"},
    // Without `listen ... ssl`, which is refused, these have no effect in nginx either.
    {"ssl_alpn ssl_buffer_size ssl_certificate_compression ssl_ciphers ssl_dhparam ssl_early_data "
     "ssl_ecdh_curve ssl_handshake_timeout ssl_object_cache_inheritable ssl_ocsp_cache "
     "ssl_ocsp_responder ssl_prefer_server_ciphers ssl_protocols ssl_session_cache "
     "ssl_session_ticket_key ssl_session_tickets ssl_session_timeout ssl_stapling "
     "ssl_stapling_file ssl_stapling_responder ssl_stapling_verify ssl_verify_depth",
     H | S, "", "nothing listens with TLS"},
    {"zone", in_upstream, "", "the state of an upstream is shared by all workers anyway"},
    {"proxy_cache proxy_intercept_errors proxy_ignore_client_abort proxy_store "
     "proxy_cookie_domain proxy_cookie_path proxy_force_ranges proxy_bind autoindex expires "
     "recursive_error_pages client_body_in_file_only disable_symlinks auth_basic auth_request "
     "mirror ssi charset ssl http2 http3",
     HSL, "off", "off is what weir does"},
    {"chunked_transfer_encoding proxy_pass_request_headers proxy_pass_request_body", HSL, "on",
     "on is what weir does"},
    {"limit_rate proxy_limit_rate", HSL, "0", "answers are not slowed down"},
    {"satisfy", HSL, "all", "there are no access rules yet"},
};

}  // namespace

std::span<const AcceptedGroup> accepted_directives() { return kGroups; }

}  // namespace weir::config
