// Certificates from ACME servers (RFC 8555): what `acme_issuer` and `acme_certificate` say. Plain
// values of the model.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "config/tls_config.h"

namespace weir::tls {
class Context;
}

namespace weir::config {

enum class AcmeKey : std::uint8_t { ec256, ec384, rsa2048, rsa3072, rsa4096 };

// `acme_issuer`
struct AcmeIssuer {
  enum class Challenge : std::uint8_t { http, tls_alpn };
  std::string name;
  std::string uri;                    // of the directory: https://
  std::vector<std::string> contacts;  // URIs
  Challenge challenge = Challenge::http;
  AcmeKey account_key = AcmeKey::ec256;
  std::string state_path;      // the folder of what is kept
  bool accepts_terms = false;  // of service
  bool verify = true;          // the server's certificate
  TlsFile trusted;             // authorities that it is checked by; none: those of the system
  std::string external_id;     // of an account elsewhere (RFC 8555 section 7.3.4); empty: none
  TlsFile external_key;        // base64url
  std::string profile;         // that orders ask for; empty: none
  Duration retry{60000};       // after a failure; it doubles each time, up to a day
  TlsFile account;             // the key of the account; no text: there is none yet
  bool keeps_account = false;  // it is stored in `state_path`, not named by the configuration
  std::shared_ptr<const tls::Context> tls;  // of connections to the server
  Position position;
};

// `acme_certificate`: what is to be ordered, once for all servers that ask for the same.
struct AcmeCertificate {
  std::string issuer;
  std::vector<std::string> names;  // host names and addresses, lower case; the first is the file's
  AcmeKey key = AcmeKey::ec256;
  TlsFile stored;  // key and chain in one file; no text: there is none yet
  Position position;
};

}  // namespace weir::config
