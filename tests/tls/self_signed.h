// Certificates for tests, signed by themselves.
#pragma once

#include <openssl/pem.h>

#include <string>

#include "tls/openssl.h"

namespace weir::tls {

struct TestPair {
  std::string certificate;
  std::string key;
};

inline std::string test_text(BIO* bio) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

// For a.example, for `seconds` from now on (negative: it has expired). `password`: the key is
// encrypted with it.
inline TestPair self_signed(long seconds, const char* password = nullptr) {
  const KeyPtr key(EVP_EC_gen("P-256"));
  const X509Ptr certificate(X509_new());
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -1000);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), seconds);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("a.example"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  const BioPtr one(BIO_new(BIO_s_mem()));
  const BioPtr two(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(one.get(), certificate.get());
  PEM_write_bio_PrivateKey(two.get(), key.get(), password != nullptr ? EVP_aes_128_cbc() : nullptr,
                           nullptr, 0, nullptr, const_cast<char*>(password));
  return {test_text(one.get()), test_text(two.get())};
}

}  // namespace weir::tls
