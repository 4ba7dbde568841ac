#include <doctest/doctest.h>

#include "tls/context.h"
#include "tls/pem.h"
#include "tls/self_signed.h"

using namespace weir::tls;

namespace {

using Passwords = std::vector<std::string>;

}  // namespace

TEST_CASE("what is wrong with a file of certificates is said") {
  const auto pair = self_signed(1000);
  struct Case {
    std::string text;
    std::size_t count;
    std::string error;
  };
  const Case cases[] = {
      {pair.certificate, 1, ""},
      {pair.certificate + "text between\n" + pair.certificate, 2, ""},
      {"", 0, "there is no certificate in it"},
      {"no PEM at all", 0, "there is no certificate in it"},
      {pair.key, 0, "there is no certificate in it"},
  };
  for (const auto& c : cases) {
    std::string error;
    CHECK(read_certificates(c.text, error).size() == c.count);
    CHECK(error == c.error);
  }
  std::string error;
  auto damaged = pair.certificate;
  damaged.replace(60, 8, "AAAAAAAA");
  CHECK(read_certificates(damaged, error).empty());
  CHECK(error.starts_with("a certificate in it cannot be read"));
}

TEST_CASE("a key is read with the password that fits") {
  const auto plain = self_signed(1000);
  const auto locked = self_signed(1000, "secret");
  struct Case {
    std::string text;
    Passwords passwords;
    std::string error;
  };
  const Case cases[] = {
      {plain.key, {}, ""},
      {plain.key, {"unneeded"}, ""},
      {locked.key, {"wrong", "secret"}, ""},
      {locked.key, {"wrong"}, "none of the passwords fits the key"},
      {locked.key, {}, "the key is encrypted, and no password is given"},
      {plain.certificate, {}, "there is no private key in it"},
      {"", {}, "there is no private key in it"},
  };
  for (const auto& c : cases) {
    std::string error;
    CHECK((read_key(c.text, c.passwords, error) != nullptr) == c.error.empty());
    CHECK(error == c.error);
  }
}

TEST_CASE("passwords are lines") {
  CHECK(read_passwords("a\nb\r\n\nc") == Passwords{"a", "b", "", "c"});
  CHECK(read_passwords("").empty());
}

TEST_CASE("a pair must belong together, and is warned of when it has expired") {
  const auto one = self_signed(1000);
  const auto two = self_signed(1000);
  const auto old = self_signed(-10);
  Context context(Context::Side::server);
  CHECK(context.add_pair(one.certificate, one.key, {}).ok());
  CHECK(context.add_pair(one.certificate, two.key, {}).key_error ==
        "the key does not belong to the certificate");
  const auto expired = context.add_pair(old.certificate, old.key, {});
  CHECK(expired.ok());
  CHECK(expired.warning.starts_with("the certificate has expired ("));
}

TEST_CASE("contexts are the same if and only if they agree on the same") {
  const auto pair = self_signed(1000);
  const auto make = [&](const char* name, Verify verify) {
    Context context(Context::Side::server);
    CHECK(context.add_pair(pair.certificate, pair.key, {}).ok());
    context.use_verify(verify, 1);
    context.name(name);
    return context.identity();
  };
  CHECK(make("a", Verify::off) == make("a", Verify::off));
  CHECK(make("a", Verify::off) != make("b", Verify::off));
  CHECK(make("a", Verify::off) != make("a", Verify::on));
}

TEST_CASE("commands and lists that OpenSSL does not know are refused") {
  Context context(Context::Side::server);
  CHECK(context.use_ciphers("HIGH:!aNULL").empty());
  CHECK(!context.use_ciphers("no-such-cipher").empty());
  CHECK(context.use_groups("auto").empty());
  CHECK(context.use_groups("X25519:prime256v1").empty());
  CHECK(!context.use_groups("no-such-curve").empty());
  CHECK(context.use_command("MinProtocol", "TLSv1.3").empty());
  CHECK(context.use_command("NoSuchCommand", "x") == "there is no such command");
  CHECK(!context.use_command("MinProtocol", "TLSv7").empty());
  CHECK(!context.use_command("Certificate", "/etc/passwd").empty());
}
