// ssl_* and proxy_ssl_*: TLS with clients and with peers.
#include "config/directive_rows.h"
#include "config/handlers.h"
#include "config/words.h"

namespace weir::config {
namespace {

using namespace rows;
using Set = Settings;

constexpr DirectiveInfo kRows[] = {
    // ---- clients
    {"ssl", HS, 1, 1, kFlag, compile_ssl, "off",
     "TLS on all that the server listens on; write listen ... ssl instead"},
    {"ssl_certificate", HS, 1, 1, kRepeats, compile_ssl_certificate, "",
     "file of a certificate and its chain, PEM; several for keys of several kinds"},
    {"ssl_certificate_key", HS, 1, 1, kRepeats, compile_ssl_certificate_key, "",
     "file of the certificate's key, PEM"},
    {"ssl_password_file", HS, 1, 1, 0, compile_ssl_password_file, "",
     "file of passwords of keys, one a line"},
    {"ssl_protocols", HS, 1, kMany, kRepeats | kList, compile_ssl_protocols, "TLSv1.2 TLSv1.3",
     "versions that are spoken"},
    {"ssl_ciphers", HS, 1, 1, 0, compile_ssl_ciphers,
     "HIGH:!aNULL:!MD5 (YAML: ECDHE+AESGCM:ECDHE+CHACHA20)",
     "ciphers of TLS 1.2 and before, as OpenSSL lists them"},
    {"ssl_prefer_server_ciphers", HS, 1, 1, kFlag, set_flag<&Set::ssl_prefer_server_ciphers>, "off",
     "the order of ssl_ciphers decides, not the client's"},
    {"ssl_ecdh_curve", HS, 1, 1, 0, compile_ssl_ecdh_curve, "auto",
     "curves for the exchange of keys, separated by colons"},
    {"ssl_dhparam", HS, 1, 1, 0, compile_ssl_dhparam, "",
     "file of Diffie-Hellman parameters; without it there are no DHE ciphers"},
    {"ssl_conf_command", HS, 2, 2, kRepeats | kPairs, compile_ssl_conf_command, "",
     "NAME VALUE: a command of OpenSSL's configuration"},
    {"ssl_session_cache", HS, 1, 2, kList, compile_ssl_session_cache, "none",
     "sessions that can be resumed: off, none, builtin[:SESSIONS], shared:NAME:SIZE"},
    {"ssl_session_timeout", HS, 1, 1, 0, compile_ssl_session_timeout, "5m",
     "how long a session can be resumed"},
    {"ssl_session_tickets", HS, 1, 1, kFlag, set_flag<&Set::ssl_session_tickets>, "on",
     "clients keep their sessions in sealed tickets"},
    {"ssl_session_ticket_key", HS, 1, 1, kRepeats, compile_ssl_session_ticket_key, "",
     "file of 80 or 48 bytes that tickets are sealed with; further ones open tickets"},
    {"ssl_buffer_size", HS, 1, 1, 0, compile_ssl_buffer_size, "16k",
     "greatest record sent; small ones let the first bytes arrive earlier"},
    {"ssl_handshake_timeout", HS, 1, 1, 0, compile_ssl_handshake_timeout, "client_header_timeout",
     "time for a whole handshake"},
    {"ssl_reject_handshake", HS, 1, 1, kFlag, set_flag<&Set::ssl_reject_handshake>, "off",
     "no handshake for the names of this server"},
    {"ssl_verify_client", HS, 1, 1, 0, set_word<&Set::ssl_verify_client, words::kVerifyClient>,
     "off", "certificates of clients: on, off, optional, optional_no_ca"},
    {"ssl_verify_depth", HS, 1, 1, 0, set_number<&Set::ssl_verify_depth, 0, 100>, "1",
     "longest chain of authorities above a client's certificate"},
    {"ssl_client_certificate", HS, 1, 1, 0, compile_ssl_client_certificate, "",
     "file of authorities that clients' certificates are checked by, and that they are told of"},
    {"ssl_trusted_certificate", HS, 1, 1, 0, compile_ssl_trusted_certificate, "",
     "file of such authorities that they are not told of"},
    {"ssl_crl", HS, 1, 1, 0, compile_ssl_crl, "", "file of lists of revoked certificates, PEM"},
    {"ssl_stapling", HS, 1, 1, kFlag, set_flag<&Set::ssl_stapling>, "off",
     "send an answer of OCSP with the certificate: its responder is asked"},
    {"ssl_stapling_file", HS, 1, 1, 0, compile_ssl_stapling_file, "",
     "file of the answer, DER, so that nobody is asked; a changed one is taken without a reload"},
    {"ssl_stapling_responder", HS, 1, 1, 0, compile_ssl_stapling_responder, "",
     "http:// URL that is asked instead of the one that a certificate names"},
    {"ssl_stapling_verify", HS, 1, 1, kFlag, set_flag<&Set::ssl_stapling_verify>, "off",
     "who has made the answer must be trusted by ssl_trusted_certificate; the certificate's "
     "issuer, "
     "or one appointed by it, must have made what is asked for in any case"},

    // ---- peers
    {"proxy_ssl_verify", HSL, 1, 1, kFlag, set_flag<&Set::proxy_ssl_verify>, "off",
     "check certificates of peers"},
    {"proxy_ssl_verify_depth", HSL, 1, 1, 0, set_number<&Set::proxy_ssl_verify_depth, 0, 100>, "1",
     "longest chain of authorities above a peer's certificate"},
    {"proxy_ssl_trusted_certificate", HSL, 1, 1, 0,
     set_with<&Set::proxy_ssl_trusted_certificate, set_certificates>, "",
     "file of authorities that they are checked by, PEM"},
    {"proxy_ssl_crl", HSL, 1, 1, 0, set_with<&Set::proxy_ssl_crl, set_crl>, "",
     "file of lists of revoked certificates, PEM"},
    {"proxy_ssl_name", HSL, 1, 1, 0, set_value<&Set::proxy_ssl_name>, "$proxy_host",
     "name that a peer's certificate must be for, and that it is asked for by"},
    {"proxy_ssl_server_name", HSL, 1, 1, kFlag, set_flag<&Set::proxy_ssl_server_name>,
     "off (YAML: on)", "tell peers the name (SNI)"},
    {"proxy_ssl_certificate", HSL, 1, 1, 0, set_with<&Set::proxy_ssl_certificate, set_certificates>,
     "", "file of the certificate that peers are shown, PEM"},
    {"proxy_ssl_certificate_key", HSL, 1, 1, 0,
     set_with<&Set::proxy_ssl_certificate_key, set_pem_file>, "", "file of its key, PEM"},
    {"proxy_ssl_password_file", HSL, 1, 1, 0, set_with<&Set::proxy_ssl_password_file, set_pem_file>,
     "", "file of passwords of keys, one a line"},
    {"proxy_ssl_protocols", HSL, 1, kMany, kRepeats | kList,
     set_with<&Set::proxy_ssl_protocols, set_tls_versions>, "TLSv1.2 TLSv1.3",
     "versions that are spoken with peers"},
    {"proxy_ssl_ciphers", HSL, 1, 1, 0, set_with<&Set::proxy_ssl_ciphers, set_peer_ciphers>,
     "DEFAULT", "ciphers of TLS 1.2 and before, as OpenSSL lists them"},
    {"proxy_ssl_conf_command", HSL, 2, 2, kRepeats | kPairs,
     set_with<&Set::proxy_ssl_conf_command, add_peer_command>, "",
     "NAME VALUE: a command of OpenSSL's configuration"},
    {"proxy_ssl_session_reuse", HSL, 1, 1, kFlag, set_flag<&Set::proxy_ssl_session_reuse>, "on",
     "resume sessions with peers"},
};

}  // namespace

std::span<const DirectiveInfo> tls_rows() { return kRows; }

}  // namespace weir::config
