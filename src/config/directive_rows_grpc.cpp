// grpc_*: what proxy_* is to HTTP, for peers that are asked by gRPC.
#include "config/directive_rows.h"
#include "config/handlers.h"
#include "config/words.h"

namespace weir::config {
namespace {

using namespace rows;
using Set = Settings;

constexpr DirectiveInfo kRows[] = {
    {"grpc_pass", L | LIF, 1, 1, 0, compile_grpc_pass, "",
     "send requests by HTTP/2 to grpc://UPSTREAM, grpc://HOST:PORT or grpc://unix:PATH; grpcs:// "
     "for TLS; bodies pass as they come, both ways at once, and trailers with them"},

    // ---- the request
    {"grpc_set_header", HSL, 2, 2, kRepeats | kPairs,
     set_with<&Set::grpc_set_header, add_set_header>, "Host $proxy_host, TE trailers",
     "field of the request to the peer; empty: none"},
    {"grpc_bind", HSL, 1, 2, 0, set_with<&Set::grpc_bind, set_bind>, "off",
     "address to connect from, with `transparent` one of others", "off transparent", "address"},
    {"grpc_socket_keepalive", HSL, 1, 1, kFlag, set_flag<&Set::grpc_socket_keepalive>, "off",
     "SO_KEEPALIVE on connections to peers"},

    // ---- which peer, how long
    {"grpc_next_upstream", HSL, 1, kMany, kRepeats | kList,
     set_bits<&Set::grpc_next_upstream, words::kNextUpstream>, "error timeout",
     "what makes a request go to the next peer; what a peer turns away unprocessed always does, "
     "unless this is off"},
    {"grpc_next_upstream_tries", HSL, 1, 1, 0, set_number<&Set::grpc_next_upstream_tries>, "0",
     "most peers tried for a request; 0: all"},
    {"grpc_next_upstream_timeout", HSL, 1, 1, 0, set_time<&Set::grpc_next_upstream_timeout>, "0",
     "no further peer is tried after this time; 0: none"},
    {"grpc_connect_timeout", HSL, 1, 1, 0, set_time<&Set::grpc_connect_timeout>, "60s (YAML: 2s)",
     "time to connect to a peer"},
    {"grpc_send_timeout", HSL, 1, 1, 0, set_time<&Set::grpc_send_timeout>, "60s",
     "longest wait between two writes to the peer"},
    {"grpc_read_timeout", HSL, 1, 1, 0, set_time<&Set::grpc_read_timeout>, "60s",
     "longest wait between two reads from the peer; what is sent to it counts, too"},

    // ---- the answer
    {"grpc_buffer_size", HSL, 1, 1, 0, set_size<&Set::grpc_buffer_size>, "64k",
     "greatest head of an answer; less than 64k is taken as 64k"},
    {"grpc_intercept_errors", HSL, 1, 1, kFlag, set_flag<&Set::grpc_intercept_errors>, "off",
     "error_page for errors that peers answer with"},
    {"grpc_ignore_headers", HSL, 1, kMany, kRepeats | kList,
     set_bits<&Set::grpc_ignore_headers, words::kIgnoreHeaders>, "",
     "fields of answers that are not obeyed: X-Accel-Redirect and so on"},
    {"grpc_hide_header", HSL, 1, 1, kRepeats, set_with<&Set::grpc_hide_header, add_field_name>, "",
     "field of the answer that the client does not get"},
    {"grpc_pass_header", HSL, 1, 1, kRepeats, set_with<&Set::grpc_pass_header, add_field_name>, "",
     "field that the client gets though it is hidden by default"},

    // ---- TLS
    {"grpc_ssl_verify", HSL, 1, 1, kFlag, set_flag<&Set::grpc_ssl_verify>, "off",
     "check certificates of peers"},
    {"grpc_ssl_verify_depth", HSL, 1, 1, 0, set_number<&Set::grpc_ssl_verify_depth, 0, 100>, "1",
     "longest chain of authorities above a peer's certificate"},
    {"grpc_ssl_trusted_certificate", HSL, 1, 1, 0,
     set_with<&Set::grpc_ssl_trusted_certificate, set_certificates>, "",
     "file of authorities that they are checked by, PEM"},
    {"grpc_ssl_crl", HSL, 1, 1, 0, set_with<&Set::grpc_ssl_crl, set_crl>, "",
     "file of lists of revoked certificates, PEM"},
    {"grpc_ssl_name", HSL, 1, 1, 0, set_value<&Set::grpc_ssl_name>, "host of grpc_pass",
     "name that a peer's certificate must be for, and that it is asked for by"},
    {"grpc_ssl_server_name", HSL, 1, 1, kFlag, set_flag<&Set::grpc_ssl_server_name>,
     "off (YAML: on)", "tell peers the name (SNI)"},
    {"grpc_ssl_certificate", HSL, 1, 1, 0, set_with<&Set::grpc_ssl_certificate, set_certificates>,
     "", "file of the certificate that peers are shown, PEM"},
    {"grpc_ssl_certificate_key", HSL, 1, 1, 0,
     set_with<&Set::grpc_ssl_certificate_key, set_pem_file>, "", "file of its key, PEM"},
    {"grpc_ssl_password_file", HSL, 1, 1, 0, set_with<&Set::grpc_ssl_password_file, set_pem_file>,
     "", "file of passwords of keys, one a line"},
    {"grpc_ssl_protocols", HSL, 1, kMany, kRepeats | kList,
     set_with<&Set::grpc_ssl_protocols, set_tls_versions>, "TLSv1.2 TLSv1.3",
     "versions that are spoken with peers"},
    {"grpc_ssl_ciphers", HSL, 1, 1, 0, set_with<&Set::grpc_ssl_ciphers, set_peer_ciphers>,
     "DEFAULT", "ciphers of TLS 1.2 and before, as OpenSSL lists them"},
    {"grpc_ssl_conf_command", HSL, 2, 2, kRepeats | kPairs,
     set_with<&Set::grpc_ssl_conf_command, add_peer_command>, "",
     "NAME VALUE: a command of OpenSSL's configuration"},
    {"grpc_ssl_session_reuse", HSL, 1, 1, kFlag, set_flag<&Set::grpc_ssl_session_reuse>, "on",
     "resume sessions with peers"},
};

}  // namespace

std::span<const DirectiveInfo> grpc_rows() { return kRows; }

}  // namespace weir::config
