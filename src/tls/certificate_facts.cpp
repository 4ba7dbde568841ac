#include "tls/certificate_facts.h"

#include <arpa/inet.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>

#include "tls/openssl.h"
#include "tls/pem.h"

namespace weir::tls {
namespace {

struct FreeNames {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

std::string hexadecimal(const unsigned char* bytes, std::size_t size) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < size; ++i) {
    out += kDigits[bytes[i] >> 4];
    out += kDigits[bytes[i] & 0xf];
  }
  return out;
}

std::string bytes_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::string address_of(const ASN1_OCTET_STRING* octets) {
  std::array<char, INET6_ADDRSTRLEN> out{};
  const int family = ASN1_STRING_length(octets) == 4 ? AF_INET : AF_INET6;
  if (family == AF_INET6 && ASN1_STRING_length(octets) != 16) return {};
  const auto* text = ::inet_ntop(family, ASN1_STRING_get0_data(octets), out.data(), out.size());
  return text != nullptr ? text : "";
}

std::vector<std::string> names_of(X509* certificate) {
  std::vector<std::string> out;
  const std::unique_ptr<GENERAL_NAMES, FreeNames> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const auto* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) out.push_back(bytes_of(name->d.dNSName));
    if (name->type == GEN_IPADD) out.push_back(address_of(name->d.iPAddress));
  }
  return out;
}

std::int64_t seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? static_cast<std::int64_t>(::timegm(&parts)) : 0;
}

std::string key_of(X509* certificate) {
  const auto* key = X509_get0_pubkey(certificate);
  if (key == nullptr) return {};
  const char* name = EVP_PKEY_get0_type_name(key);
  return (name != nullptr ? std::string(name) : "?") + " " + std::to_string(EVP_PKEY_bits(key));
}

std::string serial_of(const X509* certificate) {
  const auto* number = X509_get0_serialNumber(certificate);
  return hexadecimal(ASN1_STRING_get0_data(number),
                     static_cast<std::size_t>(ASN1_STRING_length(number)));
}

}  // namespace

std::optional<CertificateFacts> certificate_facts(std::string_view pem) {
  std::string error;
  const auto chain = read_certificates(pem, error);
  if (chain.empty()) return std::nullopt;
  auto* certificate = chain.front().get();
  CertificateFacts facts;
  facts.subject = name_text(X509_get_subject_name(certificate));
  facts.issuer = name_text(X509_get_issuer_name(certificate));
  facts.serial = serial_of(certificate);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  X509_digest(certificate, EVP_sha256(), digest.data(), &size);
  facts.fingerprint = hexadecimal(digest.data(), size);
  facts.key = key_of(certificate);
  facts.names = names_of(certificate);
  facts.not_before = seconds_of(X509_get0_notBefore(certificate));
  facts.not_after = seconds_of(X509_get0_notAfter(certificate));
  return facts;
}

}  // namespace weir::tls
