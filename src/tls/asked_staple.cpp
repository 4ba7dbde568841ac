#include "tls/asked_staple.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include <utility>
#include <vector>

#include "tls/context.h"
#include "tls/pem.h"
#include "tls/staple.h"

namespace weir::tls {
namespace {

using CertIdPtr = std::unique_ptr<OCSP_CERTID, Freer<OCSP_CERTID_free>>;
using RequestPtr = std::unique_ptr<OCSP_REQUEST, Freer<OCSP_REQUEST_free>>;
using ResponsePtr = std::unique_ptr<OCSP_RESPONSE, Freer<OCSP_RESPONSE_free>>;
using BasicPtr = std::unique_ptr<OCSP_BASICRESP, Freer<OCSP_BASICRESP_free>>;
using StorePtr = std::unique_ptr<X509_STORE, Freer<X509_STORE_free>>;
using StoreContextPtr = std::unique_ptr<X509_STORE_CTX, Freer<X509_STORE_CTX_free>>;

constexpr std::string_view kScheme = "http://";
constexpr long kSkew = 300;  // seconds that a responder's clock may be ahead

struct StackFreer {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
};
using StackPtr = std::unique_ptr<STACK_OF(X509), StackFreer>;

struct UrlsFreer {
  void operator()(STACK_OF(OPENSSL_STRING) * urls) const { X509_email_free(urls); }
};

// The first one that can be asked, else the first one, else nothing.
std::string named_responder(X509* certificate) {
  const std::unique_ptr<STACK_OF(OPENSSL_STRING), UrlsFreer> urls(X509_get1_ocsp(certificate));
  std::string first;
  for (int i = 0; urls != nullptr && i < sk_OPENSSL_STRING_num(urls.get()); ++i) {
    std::string url = sk_OPENSSL_STRING_value(urls.get(), i);
    if (url.starts_with(kScheme)) return url;
    if (i == 0) first = std::move(url);
  }
  return first;
}

X509Ptr shared(X509* certificate) {
  X509_up_ref(certificate);
  return X509Ptr(certificate);
}

X509Ptr issuer_of(X509* certificate, const std::vector<X509Ptr>& chain, X509_STORE* trusted) {
  for (const auto& one : chain) {
    if (X509_check_issued(one.get(), certificate) == X509_V_OK) return shared(one.get());
  }
  const StoreContextPtr search(X509_STORE_CTX_new());
  X509* found = nullptr;
  if (search != nullptr && X509_STORE_CTX_init(search.get(), trusted, nullptr, nullptr) == 1 &&
      X509_STORE_CTX_get1_issuer(&found, search.get(), certificate) == 1) {
    return X509Ptr(found);
  }
  return nullptr;
}

// DER; empty: memory is short.
std::string question(OCSP_CERTID* id) {
  const RequestPtr request(OCSP_REQUEST_new());
  CertIdPtr own(OCSP_CERTID_dup(id));
  if (request == nullptr || own == nullptr ||
      OCSP_request_add0_id(request.get(), own.get()) == nullptr) {
    return {};
  }
  static_cast<void>(own.release());
  unsigned char* bytes = nullptr;
  const int size = i2d_OCSP_REQUEST(request.get(), &bytes);
  if (size <= 0) return {};
  std::string out(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return out;
}

std::string digest(std::string_view text) {
  std::string out(EVP_MAX_MD_SIZE, '\0');
  std::size_t size = 0;
  EVP_Q_digest(nullptr, "SHA256", nullptr, text.data(), text.size(),
               reinterpret_cast<unsigned char*>(out.data()), &size);
  out.resize(size);
  return out;
}

std::string date_text(const ASN1_GENERALIZEDTIME* time) {
  return time != nullptr ? " since " + time_text(time) : std::string();
}

}  // namespace

// What an answer is judged by.
struct AskedStaple::Parts {
  X509Ptr issuer;
  std::vector<X509Ptr> chain;
  StorePtr trusted;  // the context's; null: the issuer's word is enough
  CertIdPtr id;

  [[nodiscard]] std::string judge(OCSP_BASICRESP* answer, bool& is_revoked) const;
  [[nodiscard]] std::string judge_maker(OCSP_BASICRESP* answer) const;
};

// The certificate's issuer, or whom it has appointed (RFC 6960 section 4.2.2.2). Where trust is
// asked for, the issuer's own authorities count as well.
std::string AskedStaple::Parts::judge_maker(OCSP_BASICRESP* answer) const {
  const StackPtr known(sk_X509_new_null());
  const StorePtr own(X509_STORE_new());
  if (known == nullptr || own == nullptr) return "memory is short";
  sk_X509_push(known.get(), issuer.get());
  for (const auto& one : chain) sk_X509_push(known.get(), one.get());
  X509_STORE_add_cert(own.get(), issuer.get());
  X509_STORE_set_flags(own.get(), X509_V_FLAG_PARTIAL_CHAIN);
  ERR_clear_error();
  for (auto* store : {own.get(), trusted.get()}) {
    if (store != nullptr && OCSP_basic_verify(answer, known.get(), store, 0) != 1) {
      return "its signature cannot be verified: " + take_error("nobody trusted has made it");
    }
  }
  return {};
}

std::string AskedStaple::Parts::judge(OCSP_BASICRESP* answer, bool& is_revoked) const {
  int status = V_OCSP_CERTSTATUS_UNKNOWN;
  ASN1_GENERALIZEDTIME *revoked = nullptr, *from = nullptr, *until = nullptr;
  if (OCSP_resp_find_status(answer, id.get(), &status, nullptr, &revoked, &from, &until) != 1) {
    return "the answer is about another certificate";
  }
  if (auto error = judge_maker(answer); !error.empty()) return error;
  if (OCSP_check_validity(from, until, kSkew, -1) != 1) {
    return "the answer is not for now: " + take_error("its times are wrong");
  }
  is_revoked = status == V_OCSP_CERTSTATUS_REVOKED;
  if (is_revoked) return "the certificate is revoked" + date_text(revoked);
  if (status != V_OCSP_CERTSTATUS_GOOD) return "the responder does not know the certificate";
  return {};
}

AskedStaple::Making AskedStaple::make(std::string_view pem, const Context& context,
                                      const Options& options) {
  Making out;
  auto certificates = read_certificates(pem, out.error);
  if (certificates.empty()) return out;
  const auto leaf = std::move(certificates.front());
  certificates.erase(certificates.begin());
  auto parts = std::make_shared<Parts>();
  auto* store = SSL_CTX_get_cert_store(context.native());
  parts->issuer = issuer_of(leaf.get(), certificates, store);
  ERR_clear_error();
  const auto wrong = [&](std::string error) {
    out.error = std::move(error);
    return std::move(out);
  };
  if (parts->issuer == nullptr) {
    return wrong(
        "the certificate of its issuer is not there; append it to the file, or name its "
        "file by ssl_trusted_certificate");
  }
  auto asked = std::make_shared<AskedStaple>();
  asked->url_ = options.responder.empty() ? named_responder(leaf.get()) : options.responder;
  if (asked->url_.empty()) {
    return wrong(
        "it names no responder of OCSP; remove ssl_stapling, or name one by "
        "ssl_stapling_responder");
  }
  if (!asked->url_.starts_with(kScheme)) {
    return wrong("its responder is at \"" + asked->url_ + "\"; only http:// is asked");
  }
  parts->id.reset(OCSP_cert_to_id(nullptr, leaf.get(), parts->issuer.get()));
  if (parts->id != nullptr) asked->request_ = question(parts->id.get());
  if (asked->request_.empty()) return wrong("memory is short");
  parts->chain = std::move(certificates);
  asked->key_ = asked->url_ + " " + asked->request_;
  if (options.verified) {
    X509_STORE_up_ref(store);
    parts->trusted.reset(store);
    asked->key_ += digest(options.authorities);
  }
  asked->parts_ = std::move(parts);
  out.asked = std::move(asked);
  return out;
}

std::string AskedStaple::take(std::string_view der) {
  std::string error;
  auto staple = Staple::parse(der, error);
  if (staple == nullptr) return error;
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const ResponsePtr response(d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(der.size())));
  const BasicPtr basic(OCSP_response_get1_basic(response.get()));
  bool is_revoked = false;
  error = parts_->judge(basic.get(), is_revoked);
  ERR_clear_error();
  const std::lock_guard lock(mutex_);
  if (is_revoked) staple_ = nullptr;
  if (error.empty()) staple_ = std::move(staple);
  return error;
}

std::shared_ptr<const Staple> AskedStaple::present() const {
  const std::lock_guard lock(mutex_);
  return staple_;
}

}  // namespace weir::tls
