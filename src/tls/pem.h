// Certificates, keys and lists of revocation in the PEM form (RFC 7468), as files hold them. No
// state; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tls/openssl.h"

namespace weir::tls {

// The certificates of a file, in their order. Empty: `error` says why.
[[nodiscard]] std::vector<X509Ptr> read_certificates(std::string_view pem, std::string& error);
// Certificates are not wanted, lists of revoked ones are (RFC 5280).
[[nodiscard]] std::vector<CrlPtr> read_crls(std::string_view pem, std::string& error);
// A private key. `passwords`: of an encrypted one, each is tried. Null: `error` says why.
[[nodiscard]] KeyPtr read_key(std::string_view pem, std::span<const std::string> passwords,
                              std::string& error);
// Parameters of Diffie-Hellman. Null: `error` says why.
[[nodiscard]] KeyPtr read_dh_parameters(std::string_view pem, std::string& error);

// The lines of a file of passwords; an empty line is an empty password.
[[nodiscard]] std::vector<std::string> read_passwords(std::string_view text);

// "Nov 25 18:00:00 2026 GMT"
[[nodiscard]] std::string time_text(const ASN1_TIME* time);
// "CN=example.org,O=Example", as RFC 2253 has it.
[[nodiscard]] std::string name_text(const X509_NAME* name);

}  // namespace weir::tls
