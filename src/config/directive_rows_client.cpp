// Clients, their connections, and who they are.
#include "config/directive_rows.h"
#include "config/handlers.h"
#include "config/words.h"

namespace weir::config {
namespace {

using namespace rows;
using Set = Settings;

constexpr DirectiveInfo kRows[] = {
    // ---- the head of a request
    {"client_header_timeout", HS, 1, 1, 0, set_time<&Set::client_header_timeout>, "60s (YAML: 10s)",
     "time for a whole request head"},
    {"client_header_buffer_size", HS, 1, 1, 0, set_size<&Set::client_header_buffer_size>, "1k",
     "raises large_client_header_buffers if greater"},
    {"large_client_header_buffers", HS, 2, 2, 0, compile_large_client_header_buffers, "2 16k",
     "COUNT SIZE: a line of the head holds SIZE bytes, the head COUNT * SIZE"},
    {"max_headers", HS, 1, 1, 0, set_number<&Set::max_headers>, "1000",
     "most fields of a request's head"},
    {"ignore_invalid_headers", HS, 1, 1, kFlag, set_flag<&Set::ignore_invalid_headers>, "on",
     "drop fields with invalid names; off: they pass"},
    {"underscores_in_headers", HS, 1, 1, kFlag, set_flag<&Set::underscores_in_headers>, "off",
     "names of fields may have underscores"},
    {"bare_line_feeds", HS, 1, 1, kFlag | kOwn, set_flag<&Set::bare_line_feeds>, "on (YAML: off)",
     "lines of a request head may end in LF alone; off: answer 400"},
    {"serve_half_closed", HSL, 1, 1, kFlag | kOwn, set_flag<&Set::serve_half_closed>,
     "off (YAML: on)",
     "a client that ends its side while a peer works still gets the answer; off: it has left "
     "(499)"},
    {"merge_slashes", HS, 1, 1, kFlag, set_flag<&Set::merge_slashes>, "on",
     "// in a path is taken as /"},

    // ---- its body
    {"client_max_body_size", HSL, 1, 1, 0, set_size<&Set::client_max_body_size>, "1m (YAML: 1g)",
     "greatest body of a request; 0: any"},
    {"client_body_buffer_size", HSL, 1, 1, 0, set_size<&Set::client_body_buffer_size>, "16k",
     "body bytes kept in memory"},
    {"client_body_timeout", HSL, 1, 1, 0, set_time<&Set::client_body_timeout>, "60s",
     "longest wait between two reads of a body"},
    {"client_body_min_rate", HSL, 1, 1, kOwn, set_number<&Set::client_body_min_rate>, "240",
     "bytes a second that a body must come with after its first 10 s; 0: any"},
    {"client_body_in_file_only", HSL, 1, 1, 0,
     set_word<&Set::client_body_in_file_only, words::kBodyFile>, "off",
     "write bodies to files: on keeps them, clean removes them afterwards", "off on clean"},
    {"client_body_temp_path", HSL, 1, 4, 0, set_temp_path<&Set::client_body_temp_path>,
     "the system's", "folder of those files; levels of folders are not made"},
    {"lingering_close", HSL, 1, 1, 0, set_word<&Set::lingering_close, words::kLingeringClose>, "on",
     "read and drop what a client still sends before its connection is closed", "off on always"},
    {"lingering_time", HSL, 1, 1, 0, set_time<&Set::lingering_time>, "30s",
     "how long an unwanted body is read and dropped"},
    {"lingering_timeout", HSL, 1, 1, 0, set_time<&Set::lingering_timeout>, "5s",
     "longest wait for more of an unwanted body"},

    // ---- the connection
    {"send_timeout", HSL, 1, 1, 0, set_time<&Set::send_timeout>, "60s",
     "longest wait between two writes to the client"},
    {"reset_timedout_connection", HSL, 1, 1, kFlag, set_flag<&Set::reset_timedout_connection>,
     "off", "reset connections that timed out"},
    {"keepalive_timeout", HSL, 1, 2, 0, compile_keepalive_timeout, "75s",
     "how long an idle client connection is kept; second: Keep-Alive field to the client"},
    {"keepalive_min_timeout", HSL, 1, 1, 0, set_time<&Set::keepalive_min_timeout>, "0",
     "an idle connection is not closed before this when weir ends"},
    {"keepalive_requests", HSL, 1, 1, 0, set_number<&Set::keepalive_requests>, "1000",
     "most requests over one client connection"},
    {"keepalive_time", HSL, 1, 1, 0, set_time<&Set::keepalive_time>, "1h",
     "age at which a client connection is closed"},
    {"keepalive_disable", HSL, 1, 2, kRepeats | kList,
     set_bits<&Set::keepalive_disable, words::kKeepaliveDisable>, "msie6",
     "browsers whose connections are not kept: none, msie6, safari"},
    {"chunked_transfer_encoding", HSL, 1, 1, kFlag, set_flag<&Set::chunked_transfer_encoding>, "on",
     "answers of unknown length are chunked"},
    {"limit_rate", HSL | LIF, 1, 1, 0, set_size_value<&Set::limit_rate>, "0",
     "bytes a second that an answer is sent with; 0: any"},
    {"limit_rate_after", HSL | LIF, 1, 1, 0, set_size_value<&Set::limit_rate_after>, "0",
     "bytes of an answer that are not limited"},

    // ---- who the client is
    {"set_real_ip_from", HSL, 1, 1, kRepeats, compile_set_real_ip_from, "",
     "address, network or host whose statement of the client's address is believed"},
    {"real_ip_header", HSL, 1, 1, 0, compile_real_ip_header, "X-Real-IP",
     "field that states the client's address, or proxy_protocol"},
    {"real_ip_recursive", HSL, 1, 1, kFlag, set_flag<&Set::real_ip_recursive>, "off",
     "skip all trusted addresses of the field, from its end"},

    // ---- names
    {"resolver", HSL | U, 1, kMany, kList, compile_resolver, "the system's",
     "name servers for host names in values and of servers with resolve; with valid=TIME, "
     "ipv4=on|off, ipv6=on|off",
     "valid= ipv4= ipv6=", "addresses"},
    {"resolver_timeout", HSL | U, 1, 1, 0, compile_resolver_timeout, "30s",
     "longest wait for a name"},
};

}  // namespace

std::span<const DirectiveInfo> client_rows() { return kRows; }

}  // namespace weir::config
