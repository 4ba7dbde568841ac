#include "tls/facts.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstdio>

#include "tls/openssl.h"
#include "tls/pem.h"

namespace weir::tls {
namespace {

// SSL_get1_peer_certificate, which gives a reference.
X509Ptr certificate_of(ssl_st* ssl) { return X509Ptr(SSL_get1_peer_certificate(ssl)); }

void append_hex(const unsigned char* bytes, std::size_t size, std::string& out) {
  static constexpr char kDigits[] = "0123456789abcdef";
  for (std::size_t i = 0; i < size; ++i) {
    out.push_back(kDigits[bytes[i] >> 4]);
    out.push_back(kDigits[bytes[i] & 15]);
  }
}

std::string pem_of(ssl_st* ssl) {
  const auto certificate = certificate_of(ssl);
  if (certificate == nullptr) return {};
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(bio.get(), certificate.get()) != 1) return {};
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

std::string legacy_name(const X509_NAME* name) {
  char* text = X509_NAME_oneline(name, nullptr, 0);
  std::string out = text != nullptr ? text : "";
  OPENSSL_free(text);
  return out;
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

bool depends_on_issuer(long error) {
  return error == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
         error == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
         error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
         error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT || error == X509_V_ERR_CERT_UNTRUSTED ||
         error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE;
}

}  // namespace

void append_protocol(ssl_st* ssl, std::string& out) { out.append(SSL_get_version(ssl)); }

void append_cipher(ssl_st* ssl, std::string& out) { out.append(SSL_get_cipher_name(ssl)); }

void append_offered_ciphers(ssl_st* ssl, std::string& out) {
  const unsigned char* raw = nullptr;
  const auto each = SSL_get0_raw_cipherlist(ssl, nullptr);
  const auto size = SSL_get0_raw_cipherlist(ssl, &raw);
  if (each != 2 || size <= 0) return;
  for (std::size_t at = 0; at + 1 < static_cast<std::size_t>(size); at += 2) {
    if (at > 0) out.push_back(':');
    if (const auto* cipher = SSL_CIPHER_find(ssl, raw + at)) {
      out.append(SSL_CIPHER_get_name(cipher));
    } else {
      out.append("0x");
      append_hex(raw + at, 2, out);
    }
  }
}

void append_curve(ssl_st* ssl, std::string& out) {
  const auto nid = static_cast<int>(SSL_get_negotiated_group(ssl));
  if (nid == NID_undef) return;
  if ((nid & TLSEXT_nid_unknown) == 0) {
    out.append(OBJ_nid2sn(nid));
    return;
  }
  std::array<char, 16> text;
  out.append(text.data(), static_cast<std::size_t>(
                              std::snprintf(text.data(), text.size(), "0x%04x", nid & 0xffff)));
}

void append_offered_curves(ssl_st* ssl, std::string& out) {
  const auto count = SSL_get1_groups(ssl, nullptr);
  if (count <= 0) return;
  std::vector<int> groups(static_cast<std::size_t>(count));
  SSL_get1_groups(ssl, groups.data());
  bool first = true;
  for (const int nid : groups) {
    if (!first) out.push_back(':');
    first = false;
    if ((nid & TLSEXT_nid_unknown) == 0) {
      out.append(OBJ_nid2sn(nid));
      continue;
    }
    std::array<char, 16> text;
    out.append(text.data(), static_cast<std::size_t>(
                                std::snprintf(text.data(), text.size(), "0x%04x", nid & 0xffff)));
  }
}

void append_session_id(ssl_st* ssl, std::string& out) {
  const auto* session = SSL_get0_session(ssl);
  if (session == nullptr) return;
  unsigned size = 0;
  const auto* id = SSL_SESSION_get_id(session, &size);
  append_hex(id, size, out);
}

void append_alpn(ssl_st* ssl, std::string& out) {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl, &name, &size);
  out.append(reinterpret_cast<const char*>(name), size);
}

bool is_resumed(ssl_st* ssl) { return SSL_session_reused(ssl) == 1; }

bool has_certificate(ssl_st* ssl) { return SSL_get0_peer_certificate(ssl) != nullptr; }

void append_certificate(ssl_st* ssl, std::string& out) { out.append(pem_of(ssl)); }

void append_escaped_certificate(ssl_st* ssl, std::string& out) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  for (const char c : pem_of(ssl)) {
    if (is_plain(c)) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.append({'%', kDigits[byte >> 4], kDigits[byte & 15]});
  }
}

void append_folded_certificate(ssl_st* ssl, std::string& out) {
  auto pem = pem_of(ssl);
  if (pem.ends_with('\n')) pem.pop_back();
  for (const char c : pem) out.push_back(c == '\n' ? ' ' : c);
}

void append_subject(ssl_st* ssl, bool legacy, std::string& out) {
  const auto certificate = certificate_of(ssl);
  if (certificate == nullptr) return;
  const auto* name = X509_get_subject_name(certificate.get());
  out.append(legacy ? legacy_name(name) : name_text(name));
}

void append_issuer(ssl_st* ssl, bool legacy, std::string& out) {
  const auto certificate = certificate_of(ssl);
  if (certificate == nullptr) return;
  const auto* name = X509_get_issuer_name(certificate.get());
  out.append(legacy ? legacy_name(name) : name_text(name));
}

void append_serial(ssl_st* ssl, std::string& out) {
  const auto certificate = certificate_of(ssl);
  if (certificate == nullptr) return;
  const BioPtr bio(BIO_new(BIO_s_mem()));
  i2a_ASN1_INTEGER(bio.get(), X509_get0_serialNumber(certificate.get()));
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &data);
  if (size > 0) out.append(data, static_cast<std::size_t>(size));
}

void append_fingerprint(ssl_st* ssl, std::string& out) {
  const auto certificate = certificate_of(ssl);
  if (certificate == nullptr) return;
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  if (X509_digest(certificate.get(), EVP_sha1(), bytes.data(), &size) == 1) {
    append_hex(bytes.data(), size, out);
  }
}

void append_valid_from(ssl_st* ssl, std::string& out) {
  if (const auto certificate = certificate_of(ssl)) {
    out.append(time_text(X509_get0_notBefore(certificate.get())));
  }
}

void append_valid_until(ssl_st* ssl, std::string& out) {
  if (const auto certificate = certificate_of(ssl)) {
    out.append(time_text(X509_get0_notAfter(certificate.get())));
  }
}

void append_days_left(ssl_st* ssl, std::string& out) {
  const auto certificate = certificate_of(ssl);
  if (certificate == nullptr) return;
  int days = 0;
  int seconds = 0;
  if (ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(certificate.get())) != 1) return;
  out.append(std::to_string(days < 0 || seconds < 0 ? 0 : days));
}

std::string_view certificate_error(ssl_st* ssl, bool any_issuer) {
  const auto result = SSL_get_verify_result(ssl);
  if (result == X509_V_OK || (any_issuer && depends_on_issuer(result))) return {};
  return X509_verify_cert_error_string(result);
}

void forget_session(ssl_st* ssl) {
  SSL_CTX_remove_session(SSL_get_SSL_CTX(ssl), SSL_get0_session(ssl));
}

}  // namespace weir::tls
