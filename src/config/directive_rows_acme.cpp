// Certificates from ACME servers.
#include "config/directive_rows.h"
#include "config/handlers.h"

namespace weir::config {
namespace {

using namespace rows;
constexpr std::uint32_t A = in_acme;

constexpr DirectiveInfo kRows[] = {
    {.name = "acme_issuer",
     .contexts = H,
     .min_args = 1,
     .max_args = 1,
     .flags = kBlock | kRepeats | kNamed,
     .handler = compile_acme_issuer,
     .help = "a server that issues certificates by ACME (RFC 8555)",
     .yaml_name = "acme_issuers",
     .inner = in_acme},
    {"uri", A, 1, 1, 0, compile_acme_uri, "", "URL of the server's directory"},
    {"contact", A, 1, kMany, kRepeats | kList, compile_acme_contact, "",
     "where the account's owner is reached: mail addresses, or URIs"},
    {"challenge", A, 1, 1, 0, compile_acme_challenge, "http-01",
     "how the server sees whose a name is: http-01 (over port 80) or tls-alpn-01 (over port 443)"},
    {"account_key", A, 1, 1, 0, compile_acme_account_key, "ecdsa:256",
     "kind of the account's key (ecdsa:256, ecdsa:384, rsa:2048, rsa:3072, rsa:4096), or a file "
     "with one"},
    {"external_account_key", A, 2, 2, kList | kSecret, compile_acme_external_key, "",
     "ID and key (a file, or data:KEY, base64url) of an account that is bound to this one"},
    {"profile", A, 1, 1, 0, compile_acme_profile, "", "profile of certificates that is asked for"},
    {"ssl_trusted_certificate", A, 1, 1, 0, compile_acme_trusted, "the system's",
     "file of authorities that the server's certificate is checked by, PEM"},
    {"ssl_verify", A, 1, 1, kFlag, compile_acme_verify, "on", "check the server's certificate"},
    {"state_path", A, 1, 1, 0, compile_acme_state_path, "acme_NAME",
     "folder in which the account's key, and certificates with their keys, are kept"},
    {"accept_terms_of_service", A, 0, 0, 0, compile_acme_terms, "",
     "the terms of the server are accepted"},
    {"retry", A, 1, 1, kOwn, compile_acme_retry, "1m",
     "wait after a failure; it doubles each time, up to a day"},
    {"acme_certificate", S, 1, kMany, kList, compile_acme_certificate, "",
     "issuer, and names (those of the server, if none are given): a certificate is ordered, kept, "
     "and renewed after two thirds of its life; ssl_certificate $acme_certificate and "
     "ssl_certificate_key $acme_certificate_key use it",
     "key="},
};

}  // namespace

std::span<const DirectiveInfo> acme_rows() { return kRows; }

}  // namespace weir::config
