// What the ssl_ and proxy_ssl_ directives set: files with their contents, caches, checks. Plain
// values of the model.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "config/position.h"
#include "tls/asked_staple.h"
#include "tls/certificate_facts.h"

namespace weir::config {

// A file that a directive names, read when the configuration was.
struct TlsFile {
  std::string path;
  std::shared_ptr<const std::string> text;  // null: none is named
  Position position;
  [[nodiscard]] explicit operator bool() const { return text != nullptr; }
};

// What these variables stand for, in `ssl_certificate` and its key, is known when a server is
// complete.
inline constexpr const char* kAcmeCertificate = "$acme_certificate";
inline constexpr const char* kAcmeCertificateKey = "$acme_certificate_key";

// A certificate that is shown to clients or to peers, and the file of its key.
struct TlsCertificate {
  std::string path;  // "data:": it stands in the configuration
  std::string key_path;
  tls::CertificateFacts facts;
  bool ordered = false;  // by acme_certificate: weir renews it itself
};

// An answer of OCSP that a responder is asked for: `ssl_stapling` without a file.
struct StapleAsk {
  std::string path;  // of the certificate; "data:": it stands in the configuration
  std::shared_ptr<tls::AskedStaple> asked;
};

// `ssl_conf_command`
struct TlsCommand {
  std::string name;
  std::string value;
  Position position;
};

// `ssl_session_cache`
struct TlsSessionCache {
  enum class Kind : std::uint8_t { none, off, builtin, shared } kind = Kind::none;
  std::uint32_t sessions = 0;  // builtin; 0: OpenSSL's usual number
  std::string zone;            // shared
  std::uint64_t size = 0;      // bytes
};

}  // namespace weir::config
