// proxy_*: requests to peers and their answers.
#include "config/directive_rows.h"
#include "config/handlers.h"
#include "config/words.h"

namespace weir::config {
namespace {

using namespace rows;
using Set = Settings;

constexpr DirectiveInfo kRows[] = {
    {"proxy_pass", L | LIF | LMT, 1, 1, 0, compile_proxy_pass, "",
     "send requests to http://UPSTREAM, http://HOST:PORT or http://unix:PATH:, with a URI or not; "
     "https:// for TLS"},

    // ---- the request
    {"proxy_set_header", HSL, 2, 2, kRepeats | kPairs,
     set_with<&Set::proxy_set_header, add_set_header>, "Host $proxy_host, Connection \"\"",
     "field of the request to the peer; empty: none"},
    {"proxy_set_body", HSL, 1, 1, 0, compile_proxy_set_body, "", "body of the request to the peer"},
    {"proxy_method", HSL, 1, 1, 0, set_value<&Set::proxy_method>, "",
     "method of the request to the peer"},
    {"proxy_http_version", HSL, 1, 1, 0, compile_proxy_http_version, "1.1",
     "1.0, 1.1 or 2 towards the peer; with 2, requests for another protocol (WebSocket) still go "
     "by "
     "1.1"},
    {"proxy_pass_request_headers", HSL, 1, 1, kFlag, set_flag<&Set::proxy_pass_request_headers>,
     "on", "pass the client's fields on"},
    {"proxy_pass_request_body", HSL, 1, 1, kFlag, set_flag<&Set::proxy_pass_request_body>, "on",
     "pass the client's body on"},
    {"proxy_request_buffering", HSL, 1, 1, kFlag, set_flag<&Set::proxy_request_buffering>,
     "on (YAML: off)", "read the whole body of a request before a peer is chosen"},
    {"proxy_retry_body_size", HSL, 1, 1, kOwn, set_size<&Set::proxy_retry_body_size>, "64k",
     "bytes of a streamed body kept for another try"},
    {"proxy_bind", HSL, 1, 2, 0, set_with<&Set::proxy_bind, set_bind>, "off",
     "address to connect from, with `transparent` one of others", "off transparent", "address"},
    {"proxy_socket_keepalive", HSL, 1, 1, kFlag, set_flag<&Set::proxy_socket_keepalive>, "off",
     "SO_KEEPALIVE on connections to peers"},
    {"proxy_ignore_client_abort", HSL, 1, 1, kFlag, set_flag<&Set::proxy_ignore_client_abort>,
     "off", "go on with a request whose client has gone"},

    // ---- which peer, how long
    {"proxy_next_upstream", HSL, 1, kMany, kRepeats | kList,
     set_bits<&Set::proxy_next_upstream, words::kNextUpstream>, "error timeout",
     "what makes a request go to the next peer"},
    {"proxy_next_upstream_tries", HSL, 1, 1, 0, set_number<&Set::proxy_next_upstream_tries>, "0",
     "most peers tried for a request; 0: all"},
    {"proxy_next_upstream_timeout", HSL, 1, 1, 0, set_time<&Set::proxy_next_upstream_timeout>, "0",
     "no further peer is tried after this time; 0: none"},
    {"proxy_connect_timeout", HSL, 1, 1, 0, set_time<&Set::proxy_connect_timeout>, "60s (YAML: 2s)",
     "time to connect to a peer"},
    {"proxy_send_timeout", HSL, 1, 1, 0, set_time<&Set::proxy_send_timeout>, "60s",
     "longest wait between two writes to the peer"},
    {"proxy_read_timeout", HSL, 1, 1, 0, set_time<&Set::proxy_read_timeout>, "60s",
     "longest wait between two reads from the peer"},
    {"proxy_tunnel_timeout", HSL, 1, 1, kOwn, set_time<&Set::proxy_tunnel_timeout>,
     "proxy_read_timeout (YAML: 1h)", "a tunnel (WebSocket) without traffic is ended after this"},

    // ---- the answer
    {"proxy_buffering", HSL, 1, 1, kFlag, set_flag<&Set::proxy_buffering>, "on (YAML: off)",
     "read answers ahead of the client"},
    {"proxy_buffer_size", HSL, 1, 1, 0, set_size<&Set::proxy_buffer_size>, "64k",
     "greatest head of an answer; less than 64k is taken as 64k"},
    {"proxy_buffers", HSL, 2, 2, 0, compile_proxy_buffers, "8 32k",
     "COUNT SIZE: what is read ahead of a client before a temporary file is used"},
    {"proxy_max_temp_file_size", HSL, 1, 1, 0, set_size<&Set::proxy_max_temp_file_size>,
     "1g (YAML: 0)", "greatest temporary file of an answer; 0: none"},
    {"proxy_temp_path", HSL, 1, 4, 0, set_temp_path<&Set::proxy_temp_path>, "the system's",
     "folder of those files; levels of folders are not made"},
    {"proxy_limit_rate", HSL, 1, 1, 0, set_size_value<&Set::proxy_limit_rate>, "0",
     "bytes a second that an answer is read with; 0: any"},
    {"proxy_intercept_errors", HSL, 1, 1, kFlag, set_flag<&Set::proxy_intercept_errors>, "off",
     "error_page for errors that peers answer with"},
    {"proxy_force_ranges", HSL, 1, 1, kFlag, set_flag<&Set::proxy_force_ranges>, "off",
     "answer ranges of answers whose peer does not"},
    {"proxy_ignore_headers", HSL, 1, kMany, kRepeats | kList,
     set_bits<&Set::proxy_ignore_headers, words::kIgnoreHeaders>, "",
     "fields of answers that are not obeyed: X-Accel-Redirect and so on"},
    {"proxy_redirect", HSL, 1, 2, kRepeats | kPairs, compile_proxy_redirect, "default",
     "Location and Refresh of answers: default, off, or FROM TO; FROM may be ~regex", "off"},
    {"proxy_cookie_domain", HSL, 1, 2, kRepeats | kPairs, compile_proxy_cookie_domain, "off",
     "domain of cookies: FROM TO; FROM may be ~regex", "off"},
    {"proxy_cookie_path", HSL, 1, 2, kRepeats | kPairs, compile_proxy_cookie_path, "off",
     "path of cookies: FROM TO; FROM may be ~regex", "off"},
    {"proxy_cookie_flags", HSL, 1, 4, kRepeats | kPairs | kSplitPairs, compile_proxy_cookie_flags,
     "off", "COOKIE FLAG...: secure, httponly, samesite=strict|lax|none, and their no-forms",
     "off"},
    {"proxy_hide_header", HSL, 1, 1, kRepeats, set_with<&Set::proxy_hide_header, add_field_name>,
     "", "field of the answer that the client does not get"},
    {"proxy_pass_header", HSL, 1, 1, kRepeats, set_with<&Set::proxy_pass_header, add_field_name>,
     "", "field that the client gets though it is hidden by default"},
    {"proxy_pass_trailers", HSL, 1, 1, kFlag, set_flag<&Set::proxy_pass_trailers>, "off",
     "pass the fields behind a body on"},
    {"proxy_store", HSL, 1, 1, 0, compile_proxy_store, "off",
     "keep answers as files: on (where root says) or PATH", "off on"},
    {"proxy_store_access", HSL, 1, 3, kList, compile_proxy_store_access, "user:rw",
     "rights of those files: user:rw group:r all:r"},
    {"early_hints", HSL, 1, kMany, kRepeats | kList, add_values<&Set::early_hints>, "",
     "pass 103 on if all the texts are neither empty nor 0"},

    // ---- caching, which weir does not do
    {"proxy_cache", HSL, 1, 1, 0, compile_proxy_cache, "off",
     "answers are not cached: only warned of", "off"},
    {"proxy_cache_path", H, 2, kMany, kRepeats, compile_proxy_cache_path, "",
     "answers are not cached: nothing is written there"},
};

}  // namespace

std::span<const DirectiveInfo> proxy_rows() { return kRows; }

}  // namespace weir::config
