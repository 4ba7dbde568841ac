#include "tls/staple.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>

#include <algorithm>
#include <ctime>

#include "tls/openssl.h"

namespace weir::tls {
namespace {

using ResponsePtr = std::unique_ptr<OCSP_RESPONSE, Freer<OCSP_RESPONSE_free>>;
using BasicPtr = std::unique_ptr<OCSP_BASICRESP, Freer<OCSP_BASICRESP_free>>;

ResponsePtr response_of(std::string_view der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const auto* end = at + der.size();
  ResponsePtr response(d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(der.size())));
  if (at != end) response.reset();  // clients would refuse what is behind it
  return response;
}

std::string serial_text(const ASN1_INTEGER* number) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(number)),
          static_cast<std::size_t>(ASN1_STRING_length(number))};
}

std::int64_t seconds_of(const ASN1_GENERALIZEDTIME* time) {
  std::tm parts{};
  return time != nullptr && ASN1_TIME_to_tm(time, &parts) == 1
             ? static_cast<std::int64_t>(::timegm(&parts))
             : 0;
}

}  // namespace

std::shared_ptr<const Staple> Staple::parse(std::string_view der, std::string& error) {
  ERR_clear_error();
  const auto response = response_of(der);
  if (response == nullptr) {
    error = "there is no answer of OCSP in it; it must be in the DER form";
    ERR_clear_error();
    return nullptr;
  }
  if (const int status = OCSP_response_status(response.get());
      status != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
    error = std::string("the responder refused to answer: ") + OCSP_response_status_str(status);
    return nullptr;
  }
  const BasicPtr basic(OCSP_response_get1_basic(response.get()));
  auto staple = std::make_shared<Staple>();
  staple->der_ = der;
  for (int i = 0; basic != nullptr && i < OCSP_resp_count(basic.get()); ++i) {
    auto* single = OCSP_resp_get0(basic.get(), i);
    ASN1_INTEGER* serial = nullptr;
    OCSP_id_get0_info(nullptr, nullptr, nullptr, &serial,
                      const_cast<OCSP_CERTID*>(OCSP_SINGLERESP_get0_id(single)));
    if (serial != nullptr) staple->serials_.push_back(serial_text(serial));
    ASN1_GENERALIZEDTIME* next = nullptr;
    OCSP_single_get0_status(single, nullptr, nullptr, nullptr, &next);
    const auto until = seconds_of(next);
    if (until == 0) continue;
    staple->next_update_ =
        staple->next_update_ == 0 ? until : std::min(staple->next_update_, until);
  }
  ERR_clear_error();
  if (!staple->serials_.empty()) return staple;
  error = "the answer tells of no certificate";
  return nullptr;
}

std::string Staple::verify(ssl_ctx_st* ctx) const {
  const auto response = response_of(der_);
  const BasicPtr basic(OCSP_response_get1_basic(response.get()));
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(ctx, &chain);
  ERR_clear_error();
  if (OCSP_basic_verify(basic.get(), chain, SSL_CTX_get_cert_store(ctx), OCSP_TRUSTOTHER) == 1) {
    return {};
  }
  return "its signature cannot be verified: " + take_error("nobody trusted has made it");
}

bool Staple::tells_of(const std::string& serial) const {
  return std::find(serials_.begin(), serials_.end(), serial) != serials_.end();
}

bool Staple::covers(ssl_ctx_st* ctx) const {
  for (long which = SSL_CERT_SET_FIRST; SSL_CTX_set_current_cert(ctx, which) == 1;
       which = SSL_CERT_SET_NEXT) {
    const auto* certificate = SSL_CTX_get0_certificate(ctx);
    if (certificate != nullptr && tells_of(serial_text(X509_get0_serialNumber(certificate)))) {
      return true;
    }
  }
  return false;
}

bool Staple::serves(ssl_st* ssl, std::int64_t now) const {
  const auto* certificate = SSL_get_certificate(ssl);
  return certificate != nullptr && (next_update_ == 0 || now < next_update_) &&
         tells_of(serial_text(X509_get0_serialNumber(certificate)));
}

}  // namespace weir::tls
