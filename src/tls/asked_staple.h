// The answer of OCSP about one certificate that a responder is asked for again and again (RFC 6960,
// RFC 6066 section 8). What is asked, of whom, and whose word counts is constant; the answer there
// is at present is set by one thread and read by all. It outlives configurations that ask the same.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "tls/openssl.h"

namespace weir::tls {

class Context;
class Staple;

class AskedStaple {
 public:
  struct Making {
    std::shared_ptr<AskedStaple> asked;  // null: nobody can be asked
    std::string error;                   // why not
  };
  struct Options {
    std::string responder{};    // a URL; empty: the certificate names it
    bool verified = false;      // the maker of an answer must be trusted by the context as well
    std::string authorities{};  // PEM: what the context trusts
  };
  // Of the first certificate of `pem`. Its issuer is found among the others, or among those that
  // `context` trusts.
  [[nodiscard]] static Making make(std::string_view pem, const Context& context,
                                   const Options& options);

  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] const std::string& request() const { return request_; }  // DER
  // Equal for those that ask the same of the same responder.
  [[nodiscard]] const std::string& key() const { return key_; }

  // Makes an answer (DER) the present one. Else: what is wrong with it; the earlier one stays, but
  // for a certificate that is revoked.
  [[nodiscard]] std::string take(std::string_view der);
  // Null: none has come yet. Any thread.
  [[nodiscard]] std::shared_ptr<const Staple> present() const;

  // How the asking goes: the asking thread's.
  struct Progress {
    WallTime next{};    // when the responder is asked next
    std::string error;  // why the last question came to nothing; empty: it did not
    std::uint32_t failures = 0;
  };
  Progress progress{};

 private:
  struct Parts;

  std::shared_ptr<const Parts> parts_;
  std::string url_;
  std::string request_;
  std::string key_;
  mutable std::mutex mutex_;  // guards staple_
  std::shared_ptr<const Staple> staple_;
};

}  // namespace weir::tls
