// What acme_certificate makes of names and of what is kept.
#include <doctest/doctest.h>

#include <cerrno>
#include <cstring>

#include "config/acme_names.h"
#include "support.h"
#include "tls/self_signed.h"

namespace weir::config {
namespace {

constexpr const char* kBegin =
    "certificate_watch 1s; events { } http { acme_issuer i { uri https://ca.example/dir; "
    "state_path "
    "/state; } server { listen 80; } server { listen 443 ssl; ssl_certificate $acme_certificate; "
    "ssl_certificate_key $acme_certificate_key; ";

struct Kept {
  testing::Files files;                           // in the folder
  std::map<std::string, std::string> unreadable;  // and why
  std::map<std::string, std::string> before;

  LoadResult load(const std::string& server) const {
    auto options = testing::options(files);
    options.read_secret = [this, &options](const std::string& path, std::string& content,
                                           std::string& error) {
      if (const auto found = unreadable.find(path); found != unreadable.end()) {
        error = found->second;
        return false;
      }
      return options.read_file(path, content, error);
    };
    options.kept_before = [this](const std::string& path, std::string& content) {
      const auto found = before.find(path);
      if (found == before.end()) return false;
      content = found->second;
      return true;
    };
    return load_text("t", kBegin + server + "} }", options);
  }
  // The file of what is shown; empty: nothing is.
  [[nodiscard]] std::string shown(const std::string& server) const {
    const auto result = load(server);
    REQUIRE_MESSAGE(result.model != nullptr, testing::problems(result));
    const auto& all = result.model->certificates;
    return all.empty() ? "" : all.front().path + " " + all.front().facts.serial;
  }
};

std::string pem(const char* names, long seconds = 3600) {
  const auto pair = tls::self_signed(seconds, nullptr, names);
  return pair.key + pair.certificate;
}

std::string serial_of(const std::string& text) { return tls::certificate_facts(text)->serial; }

std::string path_of(std::vector<std::string> names) {
  AcmeIssuer issuer;
  issuer.state_path = "/state";
  AcmeCertificate wanted;
  wanted.names = std::move(names);
  return acme_file(issuer, wanted);
}

const std::string kTwo = "server_name a.example b.example; acme_certificate i; ";

TEST_CASE("until a certificate for other names is there the best of the issuer's is shown") {
  Kept kept;
  CHECK(kept.shown(kTwo).empty());
  kept.files["/state/c.pem"] = pem("DNS:c.example");
  kept.files["/state/damaged.pem"] = "damaged";
  CHECK(kept.shown(kTwo).empty());
  const auto older = pem("DNS:a.example");
  kept.files["/state/older.pem"] = older;
  CHECK(kept.shown(kTwo) == "/state/older.pem " + serial_of(older));
  const auto newer = pem("DNS:b.example", 7200);
  kept.files["/state/newer.pem"] = newer;
  CHECK(kept.shown(kTwo) == "/state/newer.pem " + serial_of(newer));
  const auto both = pem("DNS:a.example,DNS:b.example,DNS:c.example", 1800);
  kept.files["/state/both.pem"] = both;
  CHECK(kept.shown(kTwo) == "/state/both.pem " + serial_of(both));
  const auto result = kept.load(kTwo);
  CHECK(!result.model->acme_certificates.front().stored);  // it is ordered
  CHECK(result.model->certificates.front().ordered);
  CHECK(testing::problems(result).find("is shown until a certificate for a.example is issued") !=
        std::string::npos);
  // What is wanted is there.
  const auto path = path_of({"a.example", "b.example"});
  const auto wanted = pem("DNS:a.example,DNS:b.example", 60);
  kept.files[path] = wanted;
  CHECK(kept.shown(kTwo) == path + " " + serial_of(wanted));
  // But has expired long ago.
  kept.files[path] = pem("DNS:a.example,DNS:b.example", -60);
  CHECK(kept.shown(kTwo) == "/state/both.pem " + serial_of(both));
}

TEST_CASE("a file that is lost stays in force as it was, and is ordered anew") {
  const auto path = path_of({"a.example", "b.example"});
  const auto before = pem("DNS:a.example,DNS:b.example");
  for (const char* now : {"", "damaged"}) {
    Kept kept;
    if (*now != 0) kept.files[path] = now;
    CHECK(kept.shown(kTwo).empty());
    kept.before[path] = before;
    CHECK(kept.shown(kTwo) == path + " " + serial_of(before));
    CHECK(!kept.load(kTwo).model->acme_certificates.front().stored);
  }
}

TEST_CASE("a file that cannot be read is no file that is not there") {
  const auto path = path_of({"a.example", "b.example"});
  Kept kept;
  kept.unreadable[path] = std::strerror(EACCES);
  CHECK(
      testing::problems(kept.load(kTwo)).find("cannot read \"" + path + "\": Permission denied") !=
      std::string::npos);
  CHECK(kept.load(kTwo).model == nullptr);
  const auto before = pem("DNS:a.example,DNS:b.example");
  kept.before[path] = before;
  CHECK(kept.shown(kTwo) == path + " " + serial_of(before));
  CHECK(kept.load(kTwo).model->acme_certificates.front().stored);  // nothing is ordered
}

TEST_CASE("names of a server that no certificate can have are an error") {
  for (const char* name :
       {"_", "a/b", "\"\xc3\xa9 b\"", "\"a,DNS:evil.example\"", "a_b.example", "a_.example"}) {
    CAPTURE(std::string(name));
    const auto result =
        Kept().load(std::string("server_name a.example ") + name + "; acme_certificate i; ");
    CAPTURE(testing::problems(result));
    CHECK(result.model == nullptr);
    CHECK(testing::problems(result).find("is no host name and no address, so that nothing can be "
                                         "ordered for it; write the names behind the issuer") !=
          std::string::npos);
    CHECK(
        Kept()
            .load(std::string("server_name a.example ") + name + "; acme_certificate i a.example; ")
            .model != nullptr);
  }
}

TEST_CASE("identifiers are host names and addresses") {
  const std::string label(63, 'a');
  for (const auto& name :
       {std::string("a"), std::string("xn--bcher-kva.example"), std::string("10.0.0.1"),
        std::string("2001:db8::1"), label + "." + label + "." + label}) {
    CAPTURE(name);
    CHECK(is_acme_identifier(name));
  }
  for (const auto& name :
       {std::string(), std::string("."), std::string("a."), std::string(".a"), std::string("A"),
        std::string("*.a"), label + "a.example", label + "." + label + "." + label + "." + label}) {
    CAPTURE(name);
    CHECK(!is_acme_identifier(name));
  }
}

TEST_CASE("the longest name has a file that can be written") {
  const std::string label(60, 'a');
  const auto path = path_of({label + "." + label + "." + label + "." + label + ".aaaaaaa"});
  CHECK(path.size() - std::string("/state/").size() + std::string(".new").size() < 255);
  CHECK(path_of({"a.example"}) != path_of({"a.example", "b.example"}));
}

}  // namespace
}  // namespace weir::config
