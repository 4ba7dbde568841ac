#include "net/resolv_conf.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "net/resolver_fixture.h"

using namespace weir;
using namespace weir::net;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::address, test::DnsServer, test::Query, test::ResolverFixture, test::say;

namespace {

using Replies = std::vector<std::string>;

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

// A configuration in one line: servers, then the search list, then the options.
std::string describe(const ResolvConf& conf) {
  std::string out;
  for (const auto& server : conf.servers) out += server.text() + " ";
  out += "| " + join(conf.search) + " |";
  out += " ndots " + std::to_string(conf.ndots);
  out += " timeout " + std::to_string(conf.timeout.count());
  out += " attempts " + std::to_string(conf.attempts);
  return out + (conf.rotate ? " rotate" : "");
}

// Files of the test's own, gone with it.
class Files {
 public:
  Files() {
    char name[] = "/tmp/weir-resolv-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    directory_ = name;
    families = {};
  }
  ~Files() { std::filesystem::remove_all(directory_); }
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;

  void resolv_conf(const std::string& text) const { write("resolv.conf", text); }
  void hosts(const std::string& text) const { write("hosts", text); }
  [[nodiscard]] SystemNames::Files at(std::uint16_t port) const {
    return {directory_ + "/resolv.conf", directory_ + "/hosts", port, [] { return families; }};
  }
  static inline Families families;  // what the machine seems to have

 private:
  void write(const char* name, const std::string& text) const {
    std::ofstream(directory_ + "/" + name) << text;
  }
  std::string directory_;
};

struct SystemFixture : ResolverFixture, Files {
  std::unique_ptr<Resolver> make_system(std::uint16_t port) {
    return std::make_unique<Resolver>(loop, at(port), random());
  }
};

// With IPv4 addresses only.
DnsServer::Handler answers(std::vector<std::pair<std::string, std::string>> table) {
  return [=](const Query& query) -> Replies {
    for (const auto& [name, text] : table) {
      if (name != query.name) continue;
      if (query.type != dns::Type::a) return {query.nothing()};
      return {query.with({address(query.name, text)})};
    }
    return {query.error(3)};
  };
}

}  // namespace

TEST_CASE("resolv.conf") {
  const struct {
    const char* text;
    const char* host;
    const char* want;
  } rows[] = {
      {"", "", "127.0.0.1:53 |  | ndots 1 timeout 5000 attempts 2"},
      {"nameserver 10.0.0.1\nnameserver ::1\n", "",
       "10.0.0.1:53 [::1]:53 |  | ndots 1 timeout 5000 attempts 2"},
      {"nameserver 10.0.0.1", "", "10.0.0.1:53 |  | ndots 1 timeout 5000 attempts 2"},
      {"# nameserver 10.0.0.9\n; nameserver 10.0.0.9\n\tnameserver\t10.0.0.1 # first\r\n", "",
       "10.0.0.1:53 |  | ndots 1 timeout 5000 attempts 2"},
      {"nameserver one\nnameserver\nnameserver 1.2.3\nsearch\noptions\nunknown x\n", "",
       "127.0.0.1:53 |  | ndots 1 timeout 5000 attempts 2"},
      {"nameserver 1.1.1.1\nnameserver 2.2.2.2\nnameserver 3.3.3.3\nnameserver 4.4.4.4\n", "",
       "1.1.1.1:53 2.2.2.2:53 3.3.3.3:53 |  | ndots 1 timeout 5000 attempts 2"},
      {"nameserver fe80::1%lo\nnameserver fe80::1%no-such-interface\nnameserver 1.1.1.1%lo\n", "",
       "[fe80::1]:53 |  | ndots 1 timeout 5000 attempts 2"},
      {"search a.example B.Example. .\n", "node.corp.example",
       "127.0.0.1:53 | a.example b.example | ndots 1 timeout 5000 attempts 2"},
      {"search a.example\ndomain b.example\n", "",
       "127.0.0.1:53 | b.example | ndots 1 timeout 5000 attempts 2"},
      {"domain b.example c.example\nsearch a.example b.example\n", "",
       "127.0.0.1:53 | a.example b.example | ndots 1 timeout 5000 attempts 2"},
      {"nameserver 10.0.0.1\n", "node.corp.example",
       "10.0.0.1:53 | corp.example | ndots 1 timeout 5000 attempts 2"},
      {"nameserver 10.0.0.1\n", "node", "10.0.0.1:53 |  | ndots 1 timeout 5000 attempts 2"},
      {"options ndots:5 timeout:2 attempts:3 rotate edns0\n", "",
       "127.0.0.1:53 |  | ndots 5 timeout 2000 attempts 3 rotate"},
      {"options ndots:99 timeout:99 attempts:99\n", "",
       "127.0.0.1:53 |  | ndots 15 timeout 30000 attempts 5"},
      {"options ndots: timeout:x attempts:-1\noptions ndots:2x\n", "",
       "127.0.0.1:53 |  | ndots 1 timeout 5000 attempts 1"},
      {"options ndots:0 timeout:0\n", "", "127.0.0.1:53 |  | ndots 0 timeout 1000 attempts 2"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CHECK(describe(parse_resolv_conf(row.text, row.host)) == row.want);
  }
  const auto scoped = parse_resolv_conf("nameserver fe80::1%lo\n").servers.at(0);
  sockaddr_in6 raw;
  std::memcpy(&raw, scoped.data(), sizeof raw);
  CHECK(raw.sin6_scope_id != 0);
}

TEST_CASE("the hosts file") {
  const auto hosts = parse_hosts(
      "127.0.0.1 localhost\n::1\tlocalhost ip6-localhost # comment\n"
      "10.0.0.1   App.Example app.\n#10.0.0.2 app\n10.0.0.3 app\n10.0.0.3 app\n"
      "nonsense app\n10.0.0.4\n10.0.0.5 a..b good");
  const auto find = [&](const char* name) {
    std::string out;
    if (const auto found = hosts.find(name); found != hosts.end()) {
      for (const auto& each : found->second) out += each.host_text() + " ";
    }
    return out;
  };
  CHECK(find("localhost") == "127.0.0.1 ::1 ");
  CHECK(find("ip6-localhost") == "::1 ");
  CHECK(find("app.example") == "10.0.0.1 ");
  CHECK(find("app") == "10.0.0.1 10.0.0.3 ");
  CHECK(find("good") == "10.0.0.5 ");
  CHECK(hosts.size() == 5);
}

TEST_CASE("which names a name stands for") {
  const Files files;
  const auto candidates = [&](const char* options, const char* name) {
    files.resolv_conf(std::string("search ns.svc svc\n") + options);
    return join(SystemNames(files.at(53), TimePoint{}).candidates(name));
  };
  CHECK(candidates("", "app") == "app.ns.svc app.svc app");
  CHECK(candidates("", "App.x") == "app.x app.x.ns.svc app.x.svc");
  CHECK(candidates("", "app.") == "app");
  CHECK(candidates("options ndots:2", "app.x") == "app.x.ns.svc app.x.svc app.x");
  CHECK(candidates("options ndots:2", "a.b.c") == "a.b.c a.b.c.ns.svc a.b.c.svc");
  CHECK(candidates("options ndots:0", "app") == "app app.ns.svc app.svc");
  CHECK(candidates("", "") == "");
  CHECK(candidates("", "a..b") == "");
  const std::string label(60, 'a');
  const std::string name = label + "." + label + "." + label + "." + label + ".abcdefg";
  CHECK(candidates("", name.c_str()) == name + " " + name + ".svc");
}

TEST_CASE_FIXTURE(SystemFixture,
                  "without a resolver directive: hosts first, then the search list") {
  DnsServer server(loop, answers({{"app.svc", "10.0.0.1"}, {"far.example", "10.0.0.2"}}));
  resolv_conf("nameserver 127.0.0.1\nsearch ns.svc svc\n");
  hosts("10.9.9.9 here here.example\n::1 here\n");
  const auto resolver = make_system(server.where().port());
  run([&]() -> Task<void> {
    const auto here = resolver->known("HERE.");
    REQUIRE(here);
    CHECK(here->addresses.at(0).host_text() == "10.9.9.9");
    CHECK(server.queries.empty());
    CHECK(co_await ask(*resolver, "app") == "10.0.0.1");
    CHECK(server.asked("app.ns.svc") == server.asked("app.svc"));
    CHECK(server.asked("app") == 0);
    CHECK(resolver->known("app"));
    CHECK(resolver->known("app.svc."));
    CHECK(co_await ask(*resolver, "far.example") == "10.0.0.2");
    CHECK(server.asked("far.example.ns.svc") == 0);
    CHECK(co_await ask(*resolver, "none") == "x could not be resolved (3: Host not found)");
    CHECK(server.asked("none") == server.asked("none.svc"));
    CHECK(say(resolver->last_good("app")) == "10.0.0.1");
    CHECK(resolver->last_good("none").error == ResolveError::not_found);
  });
}

TEST_CASE_FIXTURE(SystemFixture, "as the C library, failing servers lead on") {
  DnsServer failing(loop, [](const Query& query) -> Replies { return {query.error(2)}; });
  DnsServer good(loop, answers({{"a.example", "10.0.0.1"}}), "127.0.0.2", failing.where().port());
  resolv_conf("nameserver 127.0.0.1\nnameserver 127.0.0.2\n");
  const auto resolver = make_system(failing.where().port());
  run([&]() -> Task<void> {
    CHECK(co_await ask(*resolver, "a.example") == "10.0.0.1");
    CHECK(failing.asked("a.example") > 0);
    // Each look-up begins with the first server again.
    CHECK(co_await ask(*resolver, "b.example") == "x could not be resolved (3: Host not found)");
    CHECK(failing.asked("b.example") > 0);
    good.handle([](const Query& query) -> Replies { return {query.error(5)}; });
    CHECK(co_await ask(*resolver, "c.example") == "x could not be resolved (5: Operation refused)");
  });
}

TEST_CASE_FIXTURE(SystemFixture, "a failure on the way through the search list is not forgotten") {
  DnsServer server(loop, [](const Query& query) -> Replies {
    return {query.error(query.name == "app.one" ? 2 : 3)};
  });
  resolv_conf("nameserver 127.0.0.1\nsearch one two\n");
  const auto resolver = make_system(server.where().port());
  run([&]() -> Task<void> {
    CHECK(co_await ask(*resolver, "app") == "x could not be resolved (2: Server failure)");
    CHECK(server.asked("app.two") > 0);
    CHECK(server.asked("app") > 0);
  });
}

TEST_CASE_FIXTURE(SystemFixture, "one family's failure does not hide the other's addresses") {
  DnsServer server(loop, [](const Query& query) -> Replies {
    if (query.type != dns::Type::a) return {query.error(2)};
    return {query.with({address(query.name, "10.0.0.1")})};
  });
  resolv_conf("nameserver 127.0.0.1\n");
  const auto resolver = make_system(server.where().port());
  run([&]() -> Task<void> { CHECK(co_await ask(*resolver, "a.example") == "10.0.0.1"); });
}

TEST_CASE_FIXTURE(SystemFixture, "the time-outs are those of resolv.conf") {
  DnsServer server(loop, [](const Query&) -> Replies { return {}; });
  resolv_conf("nameserver 127.0.0.1\noptions timeout:2 attempts:3\n");
  const auto resolver = make_system(server.where().port());
  CHECK(resolver->deadline() == loop.now() + seconds{6});
  run([&]() -> Task<void> {
    const auto call = start(*resolver, "a.example", seconds{6});
    co_await settle();
    const auto once = server.queries.size();
    co_await pass(seconds{2});
    CHECK(server.queries.size() == 2 * once);
    co_await pass(seconds{2});
    CHECK(server.queries.size() == 3 * once);
    CHECK_FALSE(call->done);
    co_await pass(seconds{2});
    CHECK(call->result.error == ResolveError::timed_out);
  });
}

TEST_CASE_FIXTURE(SystemFixture, "lifetimes are neither too short nor too long") {
  DnsServer server(loop, [](const Query& query) -> Replies {
    return {query.with({address(query.name, "10.0.0.1", query.name == "long" ? 600 : 0)})};
  });
  resolv_conf("nameserver 127.0.0.1\n");
  families = {.ipv4 = true, .ipv6 = false};
  const auto resolver = make_system(server.where().port());
  run([&]() -> Task<void> {
    CHECK(co_await ask(*resolver, "long") == "10.0.0.1");
    CHECK(co_await ask(*resolver, "none") == "10.0.0.1");
    CHECK(resolver->known("long")->valid_until == loop.now() + seconds{10});
    CHECK(resolver->known("none")->valid_until == loop.now() + seconds{1});
  });
}

TEST_CASE_FIXTURE(SystemFixture, "files that change are read again") {
  DnsServer first(loop, answers({{"a.one", "10.0.0.1"}, {"a.two", "10.0.0.2"}}));
  DnsServer second(loop, answers({{"a.two", "10.0.0.3"}}), "127.0.0.2", first.where().port());
  resolv_conf("nameserver 127.0.0.1\nsearch one\n");
  const auto resolver = make_system(first.where().port());
  run([&]() -> Task<void> {
    CHECK(co_await ask(*resolver, "a") == "10.0.0.1");
    resolv_conf("nameserver 127.0.0.2\nsearch two\noptions timeout:1\n");
    hosts("10.9.9.9 here\n");
    co_await pass(seconds{4});
    CHECK_FALSE(resolver->known("here"));
    co_await pass(seconds{1});
    CHECK(resolver->known("here"));
    CHECK(co_await ask(*resolver, "a") == "10.0.0.3");
    CHECK(first.asked("a.two") == 0);
    CHECK(resolver->deadline() == loop.now() + seconds{2});
  });
}

TEST_CASE_FIXTURE(SystemFixture, "a family that this machine has not is not asked for") {
  DnsServer server(loop, answers({{"a.example", "10.0.0.1"}}));
  resolv_conf("nameserver 127.0.0.1\n");
  hosts("::1 here\n10.9.9.9 here\n::1 there\n");
  families = {.ipv4 = true, .ipv6 = false};
  const auto resolver = make_system(server.where().port());
  run([&]() -> Task<void> {
    CHECK(co_await ask(*resolver, "a.example") == "10.0.0.1");
    CHECK(server.queries.size() == 1);
    CHECK(co_await ask(*resolver, "here") == "10.9.9.9");
    CHECK(co_await ask(*resolver, "there") == "x could not be resolved (3: Host not found)");
    families = {};
    co_await pass(seconds{60});
    CHECK(co_await ask(*resolver, "there") == "::1");
  });
}

TEST_CASE("this machine has at least one family") {
  const auto families = configured_families();
  CHECK((families.ipv4 || families.ipv6));
}
