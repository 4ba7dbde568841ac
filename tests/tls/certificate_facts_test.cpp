#include "tls/certificate_facts.h"

#include <doctest/doctest.h>

#include <ctime>

#include "tls/self_signed.h"

namespace weir::tls {
namespace {

TEST_CASE("a certificate says whose it is and until when") {
  test_serial = 1;
  const auto facts = certificate_facts(self_signed(3600).certificate);
  REQUIRE(facts);
  CHECK(facts->subject == "CN=a.example");
  CHECK(facts->issuer == "CN=a.example");
  CHECK(facts->serial == "01");
  CHECK(facts->key == "EC 256");
  CHECK(facts->fingerprint.size() == 64);
  CHECK(facts->names.empty());
  const auto now = std::time(nullptr);
  CHECK(facts->not_after >= now + 3590);
  CHECK(facts->not_after <= now + 3610);
  CHECK(facts->not_after - facts->not_before == 4600);
}

TEST_CASE("a text without a certificate has no facts") {
  CHECK(!certificate_facts(""));
  CHECK(!certificate_facts("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
}

}  // namespace
}  // namespace weir::tls
