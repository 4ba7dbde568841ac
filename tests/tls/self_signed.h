// Certificates for tests, signed by themselves.
#pragma once

#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

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

inline long test_serial = 1;  // of the next one

// For a.example, for `seconds` from now on (negative: it has expired). `password`: the key is
// encrypted with it. `names`: subjectAltName, as OpenSSL writes it ("DNS:a.example,DNS:b.example").
inline TestPair self_signed(long seconds, const char* password = nullptr,
                            const char* names = nullptr) {
  const KeyPtr key(EVP_EC_gen("P-256"));
  const X509Ptr certificate(X509_new());
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), test_serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -1000);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), seconds);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("a.example"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
  if (names != nullptr) {
    auto* extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names);
    X509_add_ext(certificate.get(), extension, -1);
    X509_EXTENSION_free(extension);
  }
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  const BioPtr one(BIO_new(BIO_s_mem()));
  const BioPtr two(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(one.get(), certificate.get());
  PEM_write_bio_PrivateKey(two.get(), key.get(), password != nullptr ? EVP_aes_128_cbc() : nullptr,
                           nullptr, 0, nullptr, const_cast<char*>(password));
  return {test_text(one.get()), test_text(two.get())};
}

// An answer of OCSP (DER) that the certificate is good, for `seconds` from now on.
inline std::string ocsp_answer(const TestPair& pair, long seconds) {
  const BioPtr one(BIO_new_mem_buf(pair.certificate.data(), -1));
  const BioPtr two(BIO_new_mem_buf(pair.key.data(), -1));
  const X509Ptr certificate(PEM_read_bio_X509(one.get(), nullptr, nullptr, nullptr));
  const KeyPtr key(PEM_read_bio_PrivateKey(two.get(), nullptr, nullptr, nullptr));
  auto* basic = OCSP_BASICRESP_new();
  auto* id = OCSP_cert_to_id(EVP_sha1(), certificate.get(), certificate.get());
  auto* from = X509_gmtime_adj(nullptr, -100000);
  auto* until = X509_gmtime_adj(nullptr, seconds);
  OCSP_basic_add1_status(basic, id, V_OCSP_CERTSTATUS_GOOD, 0, nullptr, from, until);
  OCSP_basic_sign(basic, certificate.get(), key.get(), EVP_sha256(), nullptr, 0);
  auto* response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
  unsigned char* der = nullptr;
  const auto size = i2d_OCSP_RESPONSE(response, &der);
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  OCSP_RESPONSE_free(response);
  OCSP_CERTID_free(id);
  ASN1_TIME_free(from);
  ASN1_TIME_free(until);
  OCSP_BASICRESP_free(basic);
  return out;
}

}  // namespace weir::tls
