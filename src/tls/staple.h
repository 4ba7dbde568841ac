// An answer of OCSP (RFC 6960) that is sent along with a certificate (RFC 6066 section 8), so that
// clients need not ask for it. Constant once made; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct ssl_ctx_st;
struct ssl_st;

namespace weir::tls {

class Staple {
 public:
  // From DER. Null: `error` says why not.
  [[nodiscard]] static std::shared_ptr<const Staple> parse(std::string_view der,
                                                           std::string& error);
  // Whether its signature is that of an authority which `ctx` trusts, or of its certificates'
  // chain. Empty, or what is wrong.
  [[nodiscard]] std::string verify(ssl_ctx_st* ctx) const;

  // It tells of the certificate that the connection shows, and is not too old: seconds since the
  // epoch.
  [[nodiscard]] bool serves(ssl_st* ssl, std::int64_t now) const;
  // One of the certificates of `ctx` is among those it tells of; it becomes the current one of
  // `ctx`, whose chain verify() looks at.
  [[nodiscard]] bool covers(ssl_ctx_st* ctx) const;
  [[nodiscard]] const std::string& der() const { return der_; }
  [[nodiscard]] std::int64_t next_update() const { return next_update_; }  // 0: it does not say

 private:
  [[nodiscard]] bool tells_of(const std::string& serial) const;

  std::string der_;
  std::vector<std::string> serials_;  // bytes
  std::int64_t next_update_ = 0;
};

}  // namespace weir::tls
