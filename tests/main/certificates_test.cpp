// Certificates that change on disk, and that expire.
#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "main/expiry_warnings.h"
#include "main/renewal.h"
#include "tls/self_signed.h"

namespace weir::main {
namespace {

namespace fs = std::filesystem;

struct Folder {
  fs::path path;
  Folder() {
    char name[] = "/tmp/weir-certificates-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Folder() { fs::remove_all(path); }
  [[nodiscard]] std::string operator/(const char* name) const { return path / name; }
};

void write(const std::string& path, const std::string& text) {
  std::ofstream(path + ".new") << text;
  fs::rename(path + ".new", path);
}

// A program with two servers, whose certificates are a and b.
struct Running {
  Folder folder;
  tls::TestPair a = tls::self_signed(3600), b = tls::self_signed(3600);
  Configurator::Options options;
  Renewal renewal;
  TimePoint now{std::chrono::hours{1}};

  Running() {
    put("a", a);
    put("b", b);
    write(folder / "weir.conf", "http {" + server("a") + server("b") + "}");
    options.config_path = folder / "weir.conf";
    load();
  }
  void put(const std::string& name, const tls::TestPair& pair) const {
    write(folder / (name + ".crt").c_str(), pair.certificate);
    write(folder / (name + ".key").c_str(), pair.key);
  }
  [[nodiscard]] std::string server(const std::string& name) const {
    const auto file = folder / name.c_str();
    return "server { listen 127.0.0.1:1 ssl; server_name " + name + "; ssl_certificate " + file +
           ".crt; ssl_certificate_key " + file + ".key; }";
  }
  // The first server sends the answer of OCSP in a.der.
  void staple(const std::string& der) {
    write(folder / "a.der", der);
    auto first = server("a");
    first.insert(first.find("ssl_certificate "),
                 "ssl_stapling on; ssl_stapling_file " + (folder / "a.der") + "; ");
    write(folder / "weir.conf", "http {" + first + server("b") + "}");
    load();
  }
  void load() {
    auto bundle = std::make_shared<Bundle>();
    const auto loaded = config::load(options.config_path, recording(options.load, bundle));
    REQUIRE(loaded.model != nullptr);
    Configurator::Prepared prepared;
    prepared.bundle = bundle;
    prepared.settings.certificate_watch = std::chrono::seconds{1};
    for (const auto& one : loaded.model->certificates) {
      prepared.pairs.emplace_back(one.path, one.key_path);
    }
    for (const auto& use : loaded.staples) {
      for (const auto& path : use.certificates) prepared.staples.emplace_back(path, use.path);
    }
    renewal.watch(prepared, now);
  }
  // Looks until what was written has settled.
  std::optional<Renewal::Found> look() {
    for (int i = 0; i < 3; ++i) {
      now += std::chrono::seconds{1};
      if (auto found = renewal.look(options, now)) return found;
    }
    return std::nullopt;
  }
};

TEST_CASE("files that stay as they are bring nothing") {
  Running running;
  CHECK(!running.look());
  CHECK(running.renewal.next() == running.now + std::chrono::seconds{1});
}

TEST_CASE("a new pair is taken, and the rest of the configuration is not read again") {
  Running running;
  CHECK(!running.look());
  write(running.folder / "weir.conf", "no configuration at all");
  const auto fresh = tls::self_signed(7200);
  running.put("a", fresh);
  const auto found = running.look();
  REQUIRE(found);
  REQUIRE(found->bundle != nullptr);
  CHECK(found->faults.empty());
  CHECK(found->renewed.size() == 2);
  CHECK(found->bundle->find(running.folder / "a.crt")->content == fresh.certificate);
  CHECK(found->bundle->find(running.folder / "b.crt")->content == running.b.certificate);
  CHECK(found->bundle->find(running.folder / "weir.conf")->content.starts_with("http {"));
}

TEST_CASE("a certificate waits for its key") {
  Running running;
  const auto fresh = tls::self_signed(7200);
  write(running.folder / "a.crt", fresh.certificate);
  auto found = running.look();
  REQUIRE(found);
  CHECK(found->bundle == nullptr);
  REQUIRE(found->faults.size() == 1);
  CHECK(found->faults[0].find("the key does not belong to the certificate") != std::string::npos);
  CHECK(running.renewal.problems().contains(running.folder / "a.crt"));
  CHECK(!running.look());  // it is told of once
  write(running.folder / "a.key", fresh.key);
  found = running.look();
  REQUIRE(found);
  CHECK(found->bundle != nullptr);
  CHECK(found->told);
  CHECK(running.renewal.problems().empty());
}

TEST_CASE("a broken pair keeps no other one back") {
  Running running;
  write(running.folder / "a.crt", "broken");
  const auto fresh = tls::self_signed(7200);
  running.put("b", fresh);
  const auto found = running.look();
  REQUIRE(found);
  REQUIRE(found->bundle != nullptr);
  CHECK(found->faults.size() == 1);
  CHECK(found->bundle->find(running.folder / "a.crt")->content == running.a.certificate);
  CHECK(found->bundle->find(running.folder / "b.crt")->content == fresh.certificate);
  CHECK(problems_of(to_text(running.renewal.problems())) == running.renewal.problems());
}

TEST_CASE("what was broken and is as it was is no problem any more") {
  Running running;
  write(running.folder / "a.crt", "broken");
  CHECK(running.look());
  CHECK(running.renewal.problems().size() == 1);
  write(running.folder / "a.crt", running.a.certificate);
  const auto found = running.look();
  REQUIRE(found);
  CHECK(found->told);
  CHECK(found->bundle == nullptr);
  CHECK(running.renewal.problems().empty());
}

TEST_CASE("a file that is gone is a problem, and stays in force") {
  Running running;
  fs::remove(running.folder / "a.key");
  const auto found = running.look();
  REQUIRE(found);
  CHECK(found->bundle == nullptr);
  REQUIRE(found->faults.size() == 1);
  CHECK(found->faults[0].find("cannot read") != std::string::npos);
}

TEST_CASE("a symbolic link that leads elsewhere is a change") {
  const Folder folder;
  for (const char* version : {"1", "2"}) {
    fs::create_directory(folder / version);
    write(folder / version + "/key", version);
  }
  fs::create_symlink("1", folder / "..data");
  fs::create_symlink("..data/key", folder / "key");
  auto bundle = std::make_shared<Bundle>();
  bundle->add({folder / "key", "1", {}, true});
  SecretWatch watch;
  watch.watch(bundle);
  CHECK(!watch.look().news);
  fs::create_symlink("2", folder / "..new");
  fs::rename(folder / "..new", folder / "..data");
  CHECK(!watch.look().news);  // it has to be the same twice
  const auto look = watch.look();
  CHECK(look.news);
  REQUIRE(look.changed.size() == 1);
  CHECK(look.changed[0].content == "2");
}

TEST_CASE("a certificate that changed between its reading and the first look is seen") {
  const Folder folder;
  write(folder / "key", "later");
  auto bundle = std::make_shared<Bundle>();
  bundle->add({folder / "key", "before", {}, true});
  SecretWatch watch;
  watch.watch(bundle);
  CHECK(watch.look().news);
}

TEST_CASE("certificates that expire are told of at 14 days and 3 days, once a day") {
  const WallTime start{std::chrono::hours{480000}};
  const auto after = [&](std::chrono::hours left) {
    config::TlsCertificate one;
    one.path = "/a.crt";
    one.facts.fingerprint = "f";
    one.facts.names = {"a.example"};
    one.facts.not_after =
        std::chrono::duration_cast<std::chrono::seconds>((start + left).time_since_epoch()).count();
    return std::vector{one};
  };
  const auto certificates = after(std::chrono::hours{20 * 24});
  ExpiryWarnings warnings;
  std::vector<std::pair<long, std::string>> told;  // hour, text
  std::size_t errors = 0;
  for (long hour = 0; hour < 22 * 24; ++hour) {
    for (const auto& one : warnings.at(certificates, start + std::chrono::hours{hour})) {
      told.emplace_back(hour, one.text);
      if (one.level == LogLevel::error) ++errors;
    }
  }
  // From the sixth day on each day until the 17th, then at three days, and when it is over.
  REQUIRE(told.size() == 16);
  CHECK(told.front() == std::pair{144L, std::string("certificates: \"/a.crt\" for a.example "
                                                    "expires in 14 days")});
  CHECK(told[1].first == 168);
  CHECK(told[11] == std::pair{408L, std::string("certificates: \"/a.crt\" for a.example expires "
                                                "in 3 days")});
  CHECK(told[14].second == "certificates: \"/a.crt\" for a.example has expired 0 hours ago");
  CHECK(errors == 5);
}

TEST_CASE("a certificate of ACME is told of when its renewal is late") {
  constexpr std::int64_t kDay = 86400;
  config::TlsCertificate one;
  one.facts.fingerprint = "f";
  one.facts.not_before = 1'000'000'000;
  one.facts.not_after = one.facts.not_before + 8 * kDay;
  const auto warns = [&](bool ordered, std::int64_t days_left) {
    one.ordered = ordered;
    const WallTime now{std::chrono::seconds{one.facts.not_after - days_left * kDay}};
    return !ExpiryWarnings().at({one}, now).empty();
  };
  CHECK(warns(false, 5));
  CHECK(!warns(true, 5));
  CHECK(!warns(true, 2));
  CHECK(warns(true, 1));
  CHECK(warns(true, -1));
}

TEST_CASE("a key that is broken alone keeps no other pair back") {
  Running running;
  const auto fresh = tls::self_signed(7200);
  running.put("a", fresh);
  write(running.folder / "b.key", "broken");
  const auto found = running.look();
  REQUIRE(found);
  REQUIRE(found->bundle != nullptr);
  CHECK(found->renewed.size() == 2);
  CHECK(running.renewal.problems().size() == 1);
  CHECK(running.renewal.problems().contains(running.folder / "b.key"));
}

TEST_CASE("an answer of OCSP for the certificate before keeps the new one not back") {
  Running running;
  running.staple(tls::ocsp_answer(running.a, 3600));
  const auto fresh = tls::self_signed(7200);
  running.put("a", fresh);
  const auto found = running.look();
  REQUIRE(found);
  REQUIRE(found->bundle != nullptr);
  CHECK(found->bundle->find(running.folder / "a.crt")->content == fresh.certificate);
  REQUIRE(found->faults.size() == 1);
  CHECK(found->faults[0] == "\"" + (running.folder / "a.der") +
                                "\" is not sent with it: the answer is for another certificate");
  CHECK(running.renewal.problems().empty());
}

TEST_CASE("an answer of OCSP waits for its certificate") {
  Running running;
  running.staple(tls::ocsp_answer(running.a, 3600));
  const auto fresh = tls::self_signed(7200);
  write(running.folder / "a.der", tls::ocsp_answer(fresh, 3600));
  auto found = running.look();
  REQUIRE(found);
  CHECK(found->bundle == nullptr);  // the one before is still sent
  CHECK(running.renewal.problems().contains(running.folder / "a.der"));
  running.put("a", fresh);
  found = running.look();
  REQUIRE(found);
  REQUIRE(found->bundle != nullptr);
  CHECK(found->renewed.size() == 3);
  CHECK(found->faults.empty());
  CHECK(running.renewal.problems().empty());
}

TEST_CASE("an answer of OCSP that is none, or too old, keeps no certificate back") {
  for (const bool old : {false, true}) {
    CAPTURE(old);
    Running running;
    running.staple(tls::ocsp_answer(running.a, 3600));
    const auto fresh = tls::self_signed(7200);
    write(running.folder / "a.der", old ? tls::ocsp_answer(fresh, -60) : "none");
    running.put("a", fresh);
    const auto found = running.look();
    REQUIRE(found);
    REQUIRE(found->bundle != nullptr);
    CHECK(found->renewed.size() == 2);
    CHECK(running.renewal.problems().size() == 1);
    CHECK(running.renewal.problems().contains(running.folder / "a.der"));
  }
}

TEST_CASE("a renewal that could not be put into force is tried again, later each time") {
  Running running;
  running.put("a", tls::self_signed(7200));
  REQUIRE(running.look());
  const auto tries_after = [&] {
    const auto from = running.now;
    running.renewal.failed("the worker process ended", running.now);
    CHECK(running.renewal.problems().at(running.folder / "a.crt") ==
          "it could not be put into force: the worker process ended");
    for (int i = 0; i < 5000; ++i) {
      running.now += std::chrono::seconds{1};
      const auto found = running.renewal.look(running.options, running.now);
      if (!found) continue;
      REQUIRE(found->bundle != nullptr);
      CHECK(found->renewed.size() == 2);
      CHECK(found->faults.empty());  // it is known
      CHECK(running.renewal.problems().size() == 2);
      break;
    }
    return std::chrono::duration_cast<std::chrono::seconds>(running.now - from).count();
  };
  CHECK(tries_after() == 2);
  CHECK(tries_after() == 4);
  CHECK(tries_after() == 8);
  for (int i = 0; i < 10; ++i) static_cast<void>(tries_after());
  CHECK(tries_after() == 600);
  running.load();  // in force
  CHECK(running.renewal.problems().empty());
  CHECK(!running.look());
}

TEST_CASE("what weir has written itself is no change") {
  const Folder folder;
  write(folder / "key", "mine");
  write(folder / "other", "before");
  auto bundle = std::make_shared<Bundle>();
  bundle->add({folder / "key", {}, "No such file or directory", true});
  bundle->add({folder / "other", "before", {}, true});
  SecretWatch watch;
  watch.watch(bundle);
  const auto with = with_content(bundle, folder / "key", "mine");
  CHECK(with != bundle);
  CHECK(with_content(with, folder / "key", "mine") == with);
  CHECK(with_content(with, folder / "none", "mine") == with);
  watch.adopt(with);
  CHECK(!watch.look().news);
  CHECK(!watch.look().news);
  write(folder / "other", "later");
  CHECK(!watch.look().news);
  const auto look = watch.look();
  CHECK(look.news);
  CHECK(look.changed.size() == 1);
}

TEST_CASE("what is lost of weir's own files is known from the configuration before") {
  const Folder folder;
  const config::LoadOptions options;
  const auto read = [&](std::shared_ptr<const Bundle> before) {
    auto bundle = std::make_shared<Bundle>();
    const auto hooks = recording(options, bundle, std::move(before));
    std::string content;
    std::string error;
    if (!hooks.read_secret(folder / "kept", content, error)) {
      static_cast<void>(hooks.kept_before(folder / "kept", content));
    }
    return std::pair(bundle, content);
  };
  write(folder / "kept", "good");
  auto [first, content] = read(nullptr);
  CHECK(content == "good");
  fs::remove(folder / "kept");
  auto [second, still] = read(first);
  CHECK(still == "good");
  const auto third = read(second);  // and once more
  CHECK(third.second == "good");
  std::string replayed;
  CHECK(replaying(options, third.first).kept_before(folder / "kept", replayed));
  CHECK(replayed == "good");
  CHECK(read(nullptr).second.empty());
}

}  // namespace
}  // namespace weir::main
