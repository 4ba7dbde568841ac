// Keys, signatures and requests of ACME, checked with OpenSSL from the other side.
#include "acme/keys.h"

#include <doctest/doctest.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <boost/json/parse.hpp>
#include <string>

#include "acme/base64url.h"
#include "tls/pem.h"

namespace weir::acme {
namespace {

namespace json = boost::json;

// The example of RFC 7638 section 3.1.
constexpr const char* kExampleModulus =
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_"
    "BJECPebWKRXjB"
    "ZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_"
    "FDW2QvzqY368QQMicAtaSqzs8"
    "KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-"
    "bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_"
    "xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

TEST_CASE("base64url has no padding and its own letters") {
  const struct {
    std::string bytes, text;
  } rows[] = {{"", ""},        {"f", "Zg"},         {"fo", "Zm8"},
              {"foo", "Zm9v"}, {"\xfb\xff", "-_8"}, {std::string(1, '\0'), "AA"}};
  for (const auto& row : rows) {
    CHECK(base64url(row.bytes) == row.text);
    CHECK(read_base64url(row.text) == row.bytes);
  }
  CHECK(read_base64url("Zg==") == "f");
  CHECK(!read_base64url("Zg!"));
  CHECK(!read_base64url("Z"));
}

bool verifies(EVP_PKEY& key, const std::string& text, const std::string& signature) {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, &key);
  const int good = EVP_DigestVerify(
      context, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
      reinterpret_cast<const unsigned char*>(text.data()), text.size());
  EVP_MD_CTX_free(context);
  return good == 1;
}

// ECDSA's numbers back in ASN.1.
std::string der_of(const std::string& flat) {
  ECDSA_SIG* signature = ECDSA_SIG_new();
  const auto* bytes = reinterpret_cast<const unsigned char*>(flat.data());
  const auto half = static_cast<int>(flat.size() / 2);
  ECDSA_SIG_set0(signature, BN_bin2bn(bytes, half, nullptr),
                 BN_bin2bn(bytes + half, half, nullptr));
  unsigned char* out = nullptr;
  const int size = i2d_ECDSA_SIG(signature, &out);
  std::string text(reinterpret_cast<const char*>(out), static_cast<std::size_t>(size));
  OPENSSL_free(out);
  ECDSA_SIG_free(signature);
  return text;
}

TEST_CASE("signatures are those of the account's key") {
  for (const auto kind : {config::AcmeKey::ec256, config::AcmeKey::rsa2048}) {
    const auto key = make_key(kind);
    REQUIRE(key != nullptr);
    const auto jws = json::parse(sign(*key, R"({"alg":"x"})", "payload")).as_object();
    const std::string header = jws.at("protected").as_string().c_str();
    const std::string payload = jws.at("payload").as_string().c_str();
    CHECK(read_base64url(header) == R"({"alg":"x"})");
    CHECK(read_base64url(payload) == "payload");
    auto signature = *read_base64url(jws.at("signature").as_string().c_str());
    if (kind == config::AcmeKey::ec256) {
      CHECK(algorithm_of(*key) == "ES256");
      REQUIRE(signature.size() == 64);
      signature = der_of(signature);
    } else {
      CHECK(algorithm_of(*key) == "RS256");
    }
    CHECK(verifies(*key, header + "." + payload, signature));
    CHECK(!verifies(*key, header + ".", signature));
  }
}

TEST_CASE("a key's JSON form has its members in the order of the thumbprint") {
  const auto ec = make_key(config::AcmeKey::ec384);
  const auto jwk = json::parse(jwk_of(*ec)).as_object();
  CHECK(jwk.at("crv") == "P-384");
  CHECK(read_base64url(jwk.at("x").as_string().c_str())->size() == 48);
  CHECK(algorithm_of(*ec) == "ES384");
  const auto rsa = make_key(config::AcmeKey::rsa2048);
  CHECK(jwk_of(*rsa).starts_with(R"({"e":"AQAB","kty":"RSA","n":")"));
  CHECK(thumbprint(*rsa).size() == 43);
}

TEST_CASE("a thumbprint is that of the RFC's example") {
  const auto bytes = *read_base64url(kExampleModulus);
  BIGNUM* n = BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()),
                        static_cast<int>(bytes.size()), nullptr);
  OSSL_PARAM_BLD* builder = OSSL_PARAM_BLD_new();
  OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n);
  OSSL_PARAM_BLD_push_uint(builder, OSSL_PKEY_PARAM_RSA_E, 65537);
  OSSL_PARAM* parameters = OSSL_PARAM_BLD_to_param(builder);
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr);
  EVP_PKEY_fromdata_init(context);
  EVP_PKEY* made = nullptr;
  EVP_PKEY_fromdata(context, &made, EVP_PKEY_PUBLIC_KEY, parameters);
  EVP_PKEY_CTX_free(context);
  OSSL_PARAM_free(parameters);
  OSSL_PARAM_BLD_free(builder);
  BN_free(n);
  const tls::KeyPtr key(made);
  REQUIRE(key != nullptr);
  CHECK(thumbprint(*key) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

TEST_CASE("a request is for the names, signed by the key, without a common name") {
  const auto key = make_key(config::AcmeKey::ec256);
  const auto der = certificate_request(*key, {"a.example", "10.0.0.1"});
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  X509_REQ* request = d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size()));
  REQUIRE(request != nullptr);
  CHECK(X509_REQ_verify(request, key.get()) == 1);
  CHECK(X509_NAME_entry_count(X509_REQ_get_subject_name(request)) == 0);
  auto* extensions = X509_REQ_get_extensions(request);
  auto* names = static_cast<GENERAL_NAMES*>(
      X509V3_get_d2i(extensions, NID_subject_alt_name, nullptr, nullptr));
  CHECK(sk_GENERAL_NAME_num(names) == 2);
  GENERAL_NAMES_free(names);
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  X509_REQ_free(request);
}

TEST_CASE("a challenge's certificate is for the name, and not trusted by chance") {
  const auto context = challenge_context("a.example", "token.thumb");
  REQUIRE(context != nullptr);
  CHECK(context->has_certificate());
}

TEST_CASE("addresses are asked for by their reverse names") {
  CHECK(asked_name("a.example") == "a.example");
  CHECK(asked_name("192.0.2.1") == "1.2.0.192.in-addr.arpa");
  CHECK(asked_name("2001:db8::567:89ab") ==
        "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}

TEST_CASE("keys in PEM are the same when read again") {
  std::string error;
  for (const auto kind : {config::AcmeKey::ec256, config::AcmeKey::rsa2048}) {
    const auto key = make_key(kind);
    const auto again = tls::read_key(to_pem(*key), {}, error);
    REQUIRE(again != nullptr);
    CHECK(thumbprint(*again) == thumbprint(*key));
  }
}

}  // namespace
}  // namespace weir::acme
