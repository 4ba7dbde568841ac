#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <sstream>

#include "config/directives.h"
#include "support.h"
#include "tls/self_signed.h"

namespace weir::config::testing {
namespace {

// A value other than the default of each.
const std::map<std::string, std::string> kValues = {
    {"set_header", "X-Other there"},
    {"bind", "127.0.0.9"},
    {"socket_keepalive", "on"},
    {"next_upstream", "http_503 timeout"},
    {"next_upstream_tries", "3"},
    {"next_upstream_timeout", "11s"},
    {"connect_timeout", "7s"},
    {"send_timeout", "8s"},
    {"read_timeout", "9s"},
    {"buffer_size", "128k"},
    {"intercept_errors", "on"},
    {"ignore_headers", "X-Accel-Redirect Expires"},
    {"hide_header", "X-Secret"},
    {"pass_header", "Server"},
    {"ssl_verify", "on"},
    {"ssl_verify_depth", "4"},
    {"ssl_trusted_certificate", "a.crt"},
    {"ssl_crl", "a.crl"},
    {"ssl_name", "$host.inside"},
    {"ssl_server_name", "on"},
    {"ssl_certificate", "a.crt"},
    {"ssl_certificate_key", "a.key"},
    {"ssl_password_file", "a.pass"},
    {"ssl_protocols", "TLSv1.3"},
    {"ssl_ciphers", "HIGH:!aNULL"},
    {"ssl_conf_command", "Options PrioritizeChaCha"},
    {"ssl_session_reuse", "off"},
};

// What a setting needs beside it.
std::string company(const std::string& name) {
  if (name == "ssl_verify") return "ssl_trusted_certificate a.crt";
  if (name == "ssl_certificate") return "ssl_certificate_key a.key";
  if (name == "ssl_certificate_key") return "ssl_certificate a.crt";
  return {};
}

// A list of revoked certificates that has none in it.
std::string no_crl(const tls::TestPair& pair) {
  const tls::BioPtr one(BIO_new_mem_buf(pair.certificate.data(), -1));
  const tls::BioPtr two(BIO_new_mem_buf(pair.key.data(), -1));
  const tls::X509Ptr certificate(PEM_read_bio_X509(one.get(), nullptr, nullptr, nullptr));
  const tls::KeyPtr key(PEM_read_bio_PrivateKey(two.get(), nullptr, nullptr, nullptr));
  const tls::CrlPtr crl(X509_CRL_new());
  X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(certificate.get()));
  auto* now = X509_gmtime_adj(nullptr, 0);
  X509_CRL_set1_lastUpdate(crl.get(), now);
  X509_CRL_set1_nextUpdate(crl.get(), now);
  ASN1_TIME_free(now);
  X509_CRL_sign(crl.get(), key.get(), EVP_sha256());
  const tls::BioPtr out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509_CRL(out.get(), crl.get());
  return tls::test_text(out.get());
}

class Written {
 public:
  Written() {
    const auto pair = tls::self_signed(10000);
    files_ = {{"/etc/weir/a.crt", pair.certificate},
              {"/etc/weir/a.key", pair.key},
              {"/etc/weir/a.crl", no_crl(pair)},
              {"/etc/weir/a.pass", "secret\n"}};
  }

  // The lines of the model that `settings` add in a location of proxy_pass or grpc_pass, without
  // those that repeat what was written.
  [[nodiscard]] std::set<std::string> added(const std::string& prefix,
                                            const std::string& settings) const {
    const auto without = lines(prefix, "");
    auto with = lines(prefix, settings);
    for (const auto& line : without) with.erase(line);
    std::erase_if(with, [](const std::string& line) { return line.starts_with("grpc_"); });
    return with;
  }

 private:
  [[nodiscard]] std::set<std::string> lines(const std::string& prefix,
                                            const std::string& settings) const {
    const std::string pass =
        prefix == "grpc_" ? "grpc_pass grpcs://127.0.0.1:1;" : "proxy_pass https://127.0.0.1:1;";
    const auto model =
        model_of("server { listen 80; location / { " + pass + settings + " } }", files_);
    CAPTURE(model);
    REQUIRE(model.find("proxy 127.0.0.1:1") != std::string::npos);
    std::set<std::string> out;
    std::istringstream text(model);
    for (std::string line; std::getline(text, line);) out.insert(line);
    return out;
  }

  Files files_;
};

}  // namespace

TEST_CASE("each directive grpc_ does for gRPC what its namesake does for HTTP") {
  const Written written;
  std::size_t seen = 0;
  for (const auto& row : directive_table()) {
    const std::string whole(row.name);
    if (!whole.starts_with("grpc_") || whole == "grpc_pass") continue;
    if (row.support != Support::implemented) continue;
    const auto name = whole.substr(5);
    CAPTURE(name);
    REQUIRE(kValues.contains(name));
    ++seen;
    const auto settings = [&](const std::string& prefix) {
      const auto beside = company(name);
      return prefix + name + " " + kValues.at(name) + ";" +
             (beside.empty() ? "" : prefix + beside + ";");
    };
    const auto by_grpc = written.added("grpc_", settings("grpc_"));
    const auto by_proxy = written.added("proxy_", settings("proxy_"));
    CHECK(!by_grpc.empty());
    CHECK(by_grpc == by_proxy);
  }
  CHECK(seen == kValues.size());
}

}  // namespace weir::config::testing
