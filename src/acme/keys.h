// Keys of accounts and of certificates, what is signed with them, requests for certificates. Pure
// but for randomness; any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/acme_config.h"
#include "tls/context.h"
#include "tls/openssl.h"

namespace weir::acme {

// A fresh key; null: out of randomness or memory.
[[nodiscard]] tls::KeyPtr make_key(config::AcmeKey kind);
[[nodiscard]] std::string to_pem(EVP_PKEY& key);

// The public half as a JSON Web Key (RFC 7517), with the members in the order that its thumbprint
// is made of (RFC 7638).
[[nodiscard]] std::string jwk_of(EVP_PKEY& key);
[[nodiscard]] std::string thumbprint(EVP_PKEY& key);  // base64url
// "ES256", "ES384", "RS256"; empty: no such key is known here.
[[nodiscard]] std::string algorithm_of(EVP_PKEY& key);

// A JSON Web Signature (RFC 7515) in the flattened form: `header` and `payload` are JSON, or
// nothing. Empty: the key cannot sign.
[[nodiscard]] std::string sign(EVP_PKEY& key, const std::string& header,
                               const std::string& payload);
// The same with a key that both sides have (HS256).
[[nodiscard]] std::string sign_shared(const std::string& secret, const std::string& header,
                                      const std::string& payload);

// A request (RFC 2986, DER) for a certificate for these names. Empty: it cannot be made.
[[nodiscard]] std::string certificate_request(EVP_PKEY& key, const std::vector<std::string>& names);
// The certificate that answers a tls-alpn-01 challenge (RFC 8737 section 3), with its context.
// Null: it cannot be made.
[[nodiscard]] std::shared_ptr<const tls::Context> challenge_context(
    const std::string& name, const std::string& authorization);

[[nodiscard]] bool is_address(const std::string& name);
// The server name that tls-alpn-01 asks for by: of an address its reverse name (RFC 8738 section
// 6), else the name itself.
[[nodiscard]] std::string asked_name(const std::string& name);
// Whether the certificate (the first one of a chain, PEM) is for this key.
[[nodiscard]] bool fits(EVP_PKEY& key, const std::string& chain);

}  // namespace weir::acme
