#include "acme/keys.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include <array>
#include <utility>

#include "acme/base64url.h"
#include "base/address.h"
#include "tls/pem.h"

namespace weir::acme {
namespace {

using BignumPtr = std::unique_ptr<BIGNUM, tls::Freer<BN_free>>;
using DigestPtr = std::unique_ptr<EVP_MD_CTX, tls::Freer<EVP_MD_CTX_free>>;
using RequestPtr = std::unique_ptr<X509_REQ, tls::Freer<X509_REQ_free>>;
using SignaturePtr = std::unique_ptr<ECDSA_SIG, tls::Freer<ECDSA_SIG_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, tls::Freer<X509_EXTENSION_free>>;

std::string written(BIO* bio) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

// Big-endian, at least `width` bytes.
std::string bytes_of(const BIGNUM* number, std::size_t width = 0) {
  const auto size = std::max(width, static_cast<std::size_t>(BN_num_bytes(number)));
  std::string out(size, '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(size));
  return out;
}

std::string parameter(EVP_PKEY& key, const char* name, std::size_t width = 0) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(&key, name, &number) != 1) return {};
  const BignumPtr owner(number);
  return base64url(bytes_of(number, width));
}

bool is_rsa(EVP_PKEY& key) { return EVP_PKEY_is_a(&key, "RSA") == 1; }
bool is_ec(EVP_PKEY& key) { return EVP_PKEY_is_a(&key, "EC") == 1; }

std::size_t coordinate_size(EVP_PKEY& key) {
  return static_cast<std::size_t>(EVP_PKEY_bits(&key) + 7) / 8;
}

std::string sha256(std::string_view bytes) {
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

// ECDSA's two numbers one behind the other (RFC 7518 section 3.4), not in ASN.1.
std::string flat_signature(const std::string& der, std::size_t width) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const SignaturePtr signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (signature == nullptr) return {};
  return bytes_of(ECDSA_SIG_get0_r(signature.get()), width) +
         bytes_of(ECDSA_SIG_get0_s(signature.get()), width);
}

std::string signature_of(EVP_PKEY& key, const std::string& text) {
  const DigestPtr context(EVP_MD_CTX_new());
  const auto* digest = algorithm_of(key) == "ES384" ? EVP_sha384() : EVP_sha256();
  std::size_t size = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  if (EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, &key) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size()) != 1) {
    return {};
  }
  std::string out(size, '\0');
  auto* to = reinterpret_cast<unsigned char*>(out.data());
  if (EVP_DigestSign(context.get(), to, &size, bytes, text.size()) != 1) return {};
  out.resize(size);
  return is_ec(key) ? flat_signature(out, coordinate_size(key)) : out;
}

std::string flattened(const std::string& header, const std::string& payload,
                      const std::string& signature) {
  return R"({"protected":")" + header + R"(","payload":")" + payload + R"(","signature":")" +
         base64url(signature) + R"("})";
}

// "DNS:a.example,IP:10.0.0.1"
std::string alternative_names(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) {
    out += (out.empty() ? "" : ",") + std::string(is_address(name) ? "IP:" : "DNS:") + name;
  }
  return out;
}

bool add_extension(X509* certificate, ExtensionPtr extension) {
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// id-pe-acmeIdentifier (RFC 8737 section 3): the digest in an octet string, critical.
ExtensionPtr acme_identifier(const std::string& authorization) {
  const auto digest = sha256(authorization);
  std::string value = "\x04";
  value += static_cast<char>(digest.size());
  value += digest;
  const std::unique_ptr<ASN1_OBJECT, tls::Freer<ASN1_OBJECT_free>> object(
      OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1));
  const std::unique_ptr<ASN1_OCTET_STRING, tls::Freer<ASN1_OCTET_STRING_free>> octets(
      ASN1_OCTET_STRING_new());
  ASN1_OCTET_STRING_set(octets.get(), reinterpret_cast<const unsigned char*>(value.data()),
                        static_cast<int>(value.size()));
  return ExtensionPtr(X509_EXTENSION_create_by_OBJ(nullptr, object.get(), 1, octets.get()));
}

}  // namespace

tls::KeyPtr make_key(config::AcmeKey kind) {
  switch (kind) {
    case config::AcmeKey::ec256:
      return tls::KeyPtr(EVP_EC_gen("P-256"));
    case config::AcmeKey::ec384:
      return tls::KeyPtr(EVP_EC_gen("P-384"));
    case config::AcmeKey::rsa2048:
      return tls::KeyPtr(EVP_RSA_gen(2048));
    case config::AcmeKey::rsa3072:
      return tls::KeyPtr(EVP_RSA_gen(3072));
    case config::AcmeKey::rsa4096:
      return tls::KeyPtr(EVP_RSA_gen(4096));
  }
  return nullptr;
}

std::string to_pem(EVP_PKEY& key) {
  const tls::BioPtr bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(bio.get(), &key, nullptr, nullptr, 0, nullptr, nullptr);
  return written(bio.get());
}

std::string algorithm_of(EVP_PKEY& key) {
  if (is_rsa(key)) return "RS256";
  if (!is_ec(key)) return {};
  return EVP_PKEY_bits(&key) == 256 ? "ES256" : EVP_PKEY_bits(&key) == 384 ? "ES384" : "";
}

std::string jwk_of(EVP_PKEY& key) {
  if (is_rsa(key)) {
    return R"({"e":")" + parameter(key, OSSL_PKEY_PARAM_RSA_E) + R"(","kty":"RSA","n":")" +
           parameter(key, OSSL_PKEY_PARAM_RSA_N) + R"("})";
  }
  const auto width = coordinate_size(key);
  const std::string curve = width == 32 ? "P-256" : "P-384";
  return R"({"crv":")" + curve + R"(","kty":"EC","x":")" +
         parameter(key, OSSL_PKEY_PARAM_EC_PUB_X, width) + R"(","y":")" +
         parameter(key, OSSL_PKEY_PARAM_EC_PUB_Y, width) + R"("})";
}

std::string thumbprint(EVP_PKEY& key) { return base64url(sha256(jwk_of(key))); }

std::string sign(EVP_PKEY& key, const std::string& header, const std::string& payload) {
  const auto first = base64url(header);
  const auto second = base64url(payload);
  const auto signature = signature_of(key, first + "." + second);
  return signature.empty() ? std::string() : flattened(first, second, signature);
}

std::string sign_shared(const std::string& secret, const std::string& header,
                        const std::string& payload) {
  const auto first = base64url(header);
  const auto second = base64url(payload);
  const auto text = first + "." + second;
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       reinterpret_cast<unsigned char*>(out.data()), &size);
  return flattened(first, second, out);
}

std::string certificate_request(EVP_PKEY& key, const std::vector<std::string>& names) {
  const RequestPtr request(X509_REQ_new());
  X509_REQ_set_pubkey(request.get(), &key);
  auto* extensions = sk_X509_EXTENSION_new_null();
  auto* extension =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, alternative_names(names).c_str());
  if (extension != nullptr) sk_X509_EXTENSION_push(extensions, extension);
  X509_REQ_add_extensions(request.get(), extensions);
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  if (extension == nullptr || X509_REQ_sign(request.get(), &key, EVP_sha256()) == 0) return {};
  unsigned char* bytes = nullptr;
  const int size = i2d_X509_REQ(request.get(), &bytes);
  if (size <= 0) return {};
  std::string out(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return out;
}

std::shared_ptr<const tls::Context> challenge_context(const std::string& name,
                                                      const std::string& authorization) {
  constexpr long kLife = 24 * 3600;  // seconds
  const auto key = make_key(config::AcmeKey::ec256);
  const tls::X509Ptr certificate(X509_new());
  if (key == nullptr || certificate == nullptr) return nullptr;
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), kLife);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("ACME challenge"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
  ExtensionPtr names(X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name,
                                         alternative_names({name}).c_str()));
  if (!add_extension(certificate.get(), std::move(names)) ||
      !add_extension(certificate.get(), acme_identifier(authorization)) ||
      X509_sign(certificate.get(), key.get(), EVP_sha256()) == 0) {
    return nullptr;
  }
  const tls::BioPtr bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate.get());
  auto context = std::make_shared<tls::Context>(tls::Context::Side::server);
  if (!context->add_pair(written(bio.get()), to_pem(*key), {}).ok()) return nullptr;
  context->use_versions(tls::tls1_2 | tls::tls1_3);
  context->use_tickets(false, nullptr);
  context->name("acme " + name);
  return context;
}

bool is_address(const std::string& name) { return IpAddress::parse(name).has_value(); }

std::string asked_name(const std::string& name) {
  const auto address = IpAddress::parse(name);
  if (!address) return name;
  static constexpr char kDigits[] = "0123456789abcdef";
  const auto bytes = address->bytes();
  std::string out;
  for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte) {
    if (address->is_v4()) {
      out += std::to_string(*byte) + '.';
    } else {
      for (const int digit : {*byte & 15, *byte >> 4}) out.append(1, kDigits[digit]).append(1, '.');
    }
  }
  return out + (address->is_v4() ? "in-addr.arpa" : "ip6.arpa");
}

bool fits(EVP_PKEY& key, const std::string& chain) {
  std::string error;
  const auto certificates = tls::read_certificates(chain, error);
  return !certificates.empty() && X509_check_private_key(certificates.front().get(), &key) == 1;
}

}  // namespace weir::acme
