// What can be told of a certificate that weir shows: whose it is, by whom, until when. Values; any
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::tls {

struct CertificateFacts {
  std::string subject;  // "CN=example.org,O=Example", as RFC 2253 has it
  std::string issuer;
  std::string serial;              // hexadecimal
  std::string fingerprint;         // SHA-256, hexadecimal
  std::string key;                 // "EC 256", "RSA 2048": algorithm and bits
  std::vector<std::string> names;  // host names and addresses of subjectAltName
  std::int64_t not_before = 0;     // seconds since the epoch
  std::int64_t not_after = 0;
};

// Of the first certificate of a text in the PEM form; nullopt: there is none.
[[nodiscard]] std::optional<CertificateFacts> certificate_facts(std::string_view pem);

}  // namespace weir::tls
