#include "config/directive_rows.h"

namespace weir::config {
namespace {

using namespace rows;

constexpr std::string_view kReads = "weir chooses how it reads and writes";
constexpr std::string_view kTables = "tables grow by themselves";
constexpr std::string_view kProcesses = "tuning of nginx's processes has no meaning here";
constexpr std::string_view kBuffers = "weir sizes its buffers by itself";
constexpr std::string_view kLoop = "weir has its own event loop";
constexpr std::string_view kCache = "answers are not cached";
constexpr std::string_view kOpen = "files are opened when they are needed";
constexpr std::string_view kWhole = "films are sent whole: no part is cut out by ?start= or ?end=";

constexpr AcceptedGroup kGroups[] = {
    {"load_module", M, Accepts::anything, "weir has no modules to load", {}, 1, 1},
    {"lock_file debug_points ssl_engine", M, Accepts::anything, kProcesses, {}, 1, 1},
    {"worker_cpu_affinity", M, Accepts::anything, kProcesses},
    {"thread_pool", M, Accepts::anything, kProcesses, {}, 2, 3},
    {"pcre_jit", M, Accepts::flag, kProcesses},
    {"timer_resolution", M, Accepts::time, kProcesses},
    {"use debug_connection", E, Accepts::anything, kLoop, {}, 1, 1},
    {"multi_accept accept_mutex", E, Accepts::flag, kLoop},
    {"accept_mutex_delay", E, Accepts::time, kLoop},
    {"worker_aio_requests", E, Accepts::number, kLoop},

    {"sendfile", HSL | LIF, Accepts::flag, kReads},
    {"tcp_nopush tcp_nodelay aio_write client_body_in_single_buffer", HSL, Accepts::flag, kReads},
    {"aio directio", HSL, Accepts::anything, kReads, {}, 1, 1},
    {"sendfile_max_chunk directio_alignment postpone_output read_ahead "
     "send_lowat proxy_send_lowat",
     HSL, Accepts::size, kReads},
    {"output_buffers", HSL, Accepts::buffers, kReads},
    {"proxy_socket_rcvbuf proxy_socket_sndbuf", HSL, Accepts::size,
     "the system sizes the buffers of sockets"},
    {"gzip_buffers gunzip_buffers brotli_buffers zstd_buffers", HSL, Accepts::buffers, kBuffers},
    {"proxy_busy_buffers_size proxy_temp_file_write_size", HSL, Accepts::size, kBuffers},
    {"postpone_gzipping brotli_window ssi_min_file_chunk", HSL, Accepts::size, kBuffers},
    {"gzip_no_buffer ssi_ignore_recycled_buffers", HSL, Accepts::flag, kBuffers},
    {"connection_pool_size request_pool_size", HS, Accepts::size, kBuffers},

    {"acme_shared_zone", H, Accepts::anything, kTables, {}, 1, 1},
    {"types_hash_bucket_size types_hash_max_size proxy_headers_hash_bucket_size "
     "proxy_headers_hash_max_size",
     HSL, Accepts::number, kTables},
    {"server_names_hash_bucket_size server_names_hash_max_size variables_hash_bucket_size "
     "variables_hash_max_size map_hash_bucket_size map_hash_max_size",
     H, Accepts::number, kTables},
    {"referer_hash_bucket_size referer_hash_max_size", SL, Accepts::number, kTables},

    {"open_file_cache", HSL, Accepts::anything, kOpen, {}, 1, 2},
    {"open_log_file_cache", HSL, Accepts::anything, kOpen, {}, 1, 4},
    {"open_file_cache_errors open_file_cache_events", HSL, Accepts::flag, kOpen},
    {"open_file_cache_min_uses", HSL, Accepts::number, kOpen},
    {"open_file_cache_valid", HSL, Accepts::time, kOpen},

    {"proxy_cache_key", HSL, Accepts::anything, kCache, {}, 1, 1},
    {"proxy_cache_bypass proxy_no_cache proxy_cache_valid proxy_cache_methods "
     "proxy_cache_use_stale",
     HSL, Accepts::anything, kCache},
    {"proxy_cache_min_uses", HSL, Accepts::number, kCache},
    {"proxy_cache_lock_age proxy_cache_lock_timeout", HSL, Accepts::time, kCache},
    {"proxy_cache_max_range_offset", HSL, Accepts::size, kCache},
    {"proxy_cache_lock proxy_cache_revalidate proxy_cache_background_update "
     "proxy_cache_convert_head",
     HSL, Accepts::flag, kCache},

    {"mp4 flv", L, Accepts::anything, kWhole, {}, 0, 0},
    {"mp4_buffer_size mp4_max_buffer_size", HSL, Accepts::size, kWhole},
    {"mp4_limit_rate mp4_limit_rate_after", HSL, Accepts::anything, kWhole, {}, 1, 1},
    {"mp4_start_key_frame", HSL, Accepts::flag, kWhole},

    {"fastcgi_temp_path uwsgi_temp_path scgi_temp_path",
     HSL,
     Accepts::anything,
     "nothing is passed to such peers",
     {},
     1,
     4},

    {"ssl_certificate_compression", HS, Accepts::flag, "certificates are sent as they are"},
    {"ssl_early_data", HS, Accepts::flag,
     "requests are taken after the handshake only: nobody can send them again"},
    {"ssl_ocsp_cache ssl_ocsp_responder",
     HS,
     Accepts::anything,
     "nobody is asked for what is revoked",
     {},
     1,
     1},
    {"ssl_ocsp", HS, Accepts::anything, "off is what weir does", "off"},
    {"ssl_certificate_cache", HS, Accepts::anything, "certificates are read once"},
    {"proxy_ssl_certificate_cache grpc_ssl_certificate_cache", HSL, Accepts::anything,
     "certificates are read once"},
    {"ssl_object_cache_inheritable", M, Accepts::flag, "certificates are read once"},
    {"http2_pool_size http2_recv_buffer_size", HS, Accepts::size, kBuffers},
    {"http2_streams_index_size", HS, Accepts::number, kTables},
    {"http3", HSL, Accepts::anything, "off is what weir does", "off"},

    {"zone",
     U,
     Accepts::anything,
     "the state of an upstream is shared by all workers anyway",
     {},
     1,
     2},
};

}  // namespace

std::span<const AcceptedGroup> accepted_directives() { return kGroups; }

}  // namespace weir::config
