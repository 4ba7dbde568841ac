// stream { }: TCP connections and UDP datagrams. Rows of its own, and those it has from http.
#include "config/directive_rows.h"
#include "config/handlers.h"
#include "config/stream_handlers.h"

namespace weir::config {
namespace {

using Set = StreamSettings;

constexpr std::uint32_t M = in_main, T = in_stream, TS = in_stream_server, TU = in_stream_upstream;
constexpr std::uint32_t TTS = T | TS;

constexpr DirectiveInfo kRows[] = {
    {.name = "stream",
     .contexts = M,
     .flags = kBlock,
     .handler = compile_stream,
     .help = "forwarding of TCP connections and UDP datagrams",
     .inner = T},
    {.name = "upstream",
     .contexts = T,
     .min_args = 1,
     .max_args = 1,
     .flags = kBlock | kRepeats | kNamed,
     .handler = compile_upstream,
     .help = "a group of peers of stream",
     .yaml_name = "upstreams",
     .inner = TU},
    {.name = "server",
     .contexts = T,
     .flags = kBlock | kRepeats,
     .handler = compile_stream_server,
     .help = "what is done with connections to an address",
     .yaml_name = "servers",
     .inner = TS},
    {.name = "listen",
     .contexts = TS,
     .min_args = 1,
     .max_args = kMany,
     .flags = kRepeats,
     .handler = compile_listen,
     .help = "address and port, range of ports or unix:PATH; udp: datagrams",
     .parameters = "udp default_server default backlog= rcvbuf= sndbuf= reuseport deferred bind "
                   "ipv6only= so_keepalive= fastopen= proxy_protocol ssl !setfib= !accept_filter= "
                   "!multipath",
     .positional = "address"},
    {"proxy_pass", TS, 1, 1, 0, compile_stream_proxy_pass, "",
     "name of an upstream, or an address; variables may tell"},
    {.name = "return",
     .contexts = TS,
     .min_args = 1,
     .max_args = 1,
     .handler = compile_stream_return,
     .help = "text that is sent, then the connection ends"},
    {"proxy_timeout", TTS, 1, 1, 0, set_stream_time<&Set::proxy_timeout>, "10m",
     "time without a byte either way after which a connection or a session of UDP ends"},
    {"proxy_next_upstream", TTS, 1, 1, kFlag, set_stream_flag<&Set::proxy_next_upstream>, "on",
     "when a peer cannot be connected to, another one is tried"},
    {"proxy_buffer_size", TTS, 1, 1, 0, set_stream_size<&Set::proxy_buffer_size>, "16k",
     "what is read ahead of an end that does not take it yet"},
    {"proxy_upload_rate", TTS, 1, 1, 0, set_stream_size_value<&Set::proxy_upload_rate>, "0",
     "bytes a second that are read from a client; 0: no limit"},
    {"proxy_download_rate", TTS, 1, 1, 0, set_stream_size_value<&Set::proxy_download_rate>, "0",
     "bytes a second that are read from a peer; 0: no limit"},
    {"proxy_half_close", TTS, 1, 1, kFlag, set_stream_flag<&Set::proxy_half_close>, "off",
     "an end that has finished sending may go on receiving"},
    {"proxy_protocol", TTS, 1, 1, kFlag, set_stream_flag<&Set::proxy_protocol>, "off",
     "tell peers by the PROXY protocol whose connection it is"},
    {"proxy_protocol_version", TTS, 1, 1, 0, set_stream_number<&Set::proxy_protocol_version, 1, 2>,
     "1", "1: as text, 2: as bytes"},
    {"proxy_ssl", TTS, 1, 1, kFlag, set_stream_flag<&Set::proxy_ssl>, "off",
     "speak TLS with peers"},
    {"proxy_requests", TTS, 1, 1, 0, set_stream_number<&Set::proxy_requests>, "0",
     "datagrams of a client after which the next one begins a session anew; 0: any number"},
    {"proxy_responses", TTS, 1, 1, 0, compile_proxy_responses, "",
     "datagrams that a peer answers each of a client's with; the session ends when they have come"},
    {"udp_sessions", TTS, 1, 1, kOwn, set_stream_number<&Set::udp_sessions, 1>, "16384",
     "most sessions of UDP at once, of a worker and an address (weir's own); further clients end "
     "the oldest without an answer, else the longest idle"},
    {"proxy_protocol_timeout", TTS, 1, 1, 0, set_stream_time<&Set::proxy_protocol_timeout>, "30s",
     "time for a whole header of the PROXY protocol"},
    {"preread_timeout", TTS, 1, 1, 0, set_stream_time<&Set::preread_timeout>, "30s",
     "time for what ssl_preread waits for"},
    {"preread_buffer_size", TTS, 1, 1, 0, set_stream_size<&Set::preread_buffer_size, 1>, "16k",
     "most bytes that ssl_preread waits for"},
    {"ssl_preread", TTS, 1, 1, kFlag, set_stream_flag<&Set::ssl_preread>, "off",
     "look what a client of TLS asks for, without ending its TLS: $ssl_preread_server_name"},
};

constexpr std::uint32_t H = in_http, S = in_server, L = in_location, U = in_upstream;
constexpr std::uint32_t HSL = H | S | L;

constexpr SharedGroup kShared[] = {
    {"server balance ip_hash hash least_conn random least_time forget eject fail_open registry "
     "health_check zone resolver resolver_timeout proxy_protocol",
     U, TU},
    {"health_check", U, TS},
    {"match map geo split_clients log_format limit_conn_zone variables_hash_bucket_size "
     "variables_hash_max_size map_hash_bucket_size map_hash_max_size",
     H, T},
    {"set", S, TS},
    {"access_log error_log allow deny limit_conn limit_conn_log_level limit_conn_dry_run resolver "
     "resolver_timeout set_real_ip_from tcp_nodelay proxy_bind proxy_socket_keepalive "
     "proxy_connect_timeout proxy_next_upstream_tries proxy_next_upstream_timeout "
     "proxy_socket_rcvbuf proxy_socket_sndbuf",
     HSL, TTS},
    {"ssl_certificate ssl_certificate_key ssl_password_file ssl_protocols ssl_ciphers "
     "ssl_prefer_server_ciphers ssl_ecdh_curve ssl_dhparam ssl_conf_command ssl_session_cache "
     "ssl_session_timeout ssl_session_tickets ssl_session_ticket_key ssl_handshake_timeout "
     "ssl_reject_handshake ssl_verify_client ssl_verify_depth ssl_client_certificate "
     "ssl_trusted_certificate ssl_crl ssl_stapling ssl_stapling_file ssl_stapling_responder "
     "ssl_stapling_verify ssl_certificate_cache ssl_certificate_compression",
     H | S, TTS},
    {"proxy_ssl_verify proxy_ssl_verify_depth proxy_ssl_trusted_certificate proxy_ssl_crl "
     "proxy_ssl_name proxy_ssl_server_name proxy_ssl_certificate proxy_ssl_certificate_key "
     "proxy_ssl_password_file proxy_ssl_protocols proxy_ssl_ciphers proxy_ssl_conf_command "
     "proxy_ssl_session_reuse proxy_ssl_certificate_cache",
     HSL, TTS},
};

}  // namespace

std::span<const DirectiveInfo> stream_rows() { return kRows; }
std::span<const SharedGroup> stream_shared() { return kShared; }

}  // namespace weir::config
