#include "discovery/ask_names.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <future>
#include <thread>

#include "discovery/name_asker.h"
#include "net/dns_server.h"

namespace weir::discovery {
namespace {

using net::dns::Type;
using net::test::DnsServer;
using net::test::Query;
using Replies = std::vector<std::string>;

// A name server in a thread of its own.
class Served {
 public:
  explicit Served(DnsServer::Handler handler) : server_(loop_, std::move(handler)) {
    thread_ = std::thread([this] { loop_.run([] {}); });
  }
  ~Served() {
    loop_.stop();
    thread_.join();
  }
  [[nodiscard]] Question question(const char* host, const char* service = "") const {
    Question question{.host = host, .service = service};
    question.resolver.emplace().servers = {server_.where()};
    return question;
  }

 private:
  SystemClock clock_;
  net::Loop loop_{clock_};
  DnsServer server_;
  std::thread thread_;
};

std::string texts(const Addresses& addresses) {
  std::string out;
  for (const auto& each : addresses.found) {
    const auto rank = addresses.rank_of(each);
    out += each.text() + "*" + std::to_string(rank.weight) + (rank.reserve ? "r " : " ");
  }
  return out + addresses.error;
}

// The time that the search itself took is gone from it already.
bool held_for(const Addresses& addresses, std::chrono::seconds time) {
  return addresses.lifetime <= time && addresses.lifetime > time - std::chrono::seconds{5};
}

Replies answer(const Query& query) {
  if (query.type == Type::srv) {
    if (query.name == "_http._tcp.part.x") {
      return {query.with({net::test::srv(query.name, 10, 1, 8081, "silent.x", 60),
                          net::test::srv(query.name, 10, 1, 8082, "silent-too.x", 60),
                          net::test::srv(query.name, 10, 1, 8080, "one.x", 60),
                          net::test::srv(query.name, 10, 1, 8083, "missing.x", 60)})};
    }
    if (query.name != "_http._tcp.app.x") return {query.error(3)};
    return {query.with({net::test::srv(query.name, 10, 3, 8080, "one.x", 60),
                        net::test::srv(query.name, 10, 7, 8081, "missing.x", 60),
                        net::test::srv(query.name, 20, 0, 8082, "two.x", 60)})};
  }
  if (query.type != Type::a) return {query.nothing()};
  if (query.name == "one.x") return {query.with({net::test::address(query.name, "10.0.0.1", 7)})};
  if (query.name == "two.x") return {query.with({net::test::address(query.name, "10.0.0.2", 90)})};
  if (query.name.starts_with("silent")) return {};
  return {query.error(3)};
}

}  // namespace

TEST_CASE("many questions are asked at once, each answered in its place") {
  const Served served(answer);
  auto silent = served.question("silent.x");
  silent.timeout = Duration{200};
  const auto found = ask_names({served.question("two.x"), silent, served.question("none.x"),
                                served.question("app.x", "http"), served.question("one.x"),
                                served.question("none.x", "http")});
  REQUIRE(found.size() == 6);
  CHECK(texts(found[0]) == "10.0.0.2:0*1 ");
  CHECK(held_for(found[0], std::chrono::seconds{90}));
  CHECK(texts(found[1]) == "Operation timed out");
  CHECK(texts(found[2]) == "Host not found");
  // A target that is not found takes nothing from the others.
  CHECK(texts(found[3]) == "10.0.0.1:8080*3 10.0.0.2:8082*1r ");
  CHECK(held_for(found[3], std::chrono::seconds{7}));
  CHECK(texts(found[4]) == "10.0.0.1:0*1 ");
  CHECK(texts(found[5]) == "Host not found");
}

TEST_CASE("nobody waits longer than he says") {
  const Served served(answer);
  CHECK(texts(ask_names({served.question("silent.x")}, Duration{100}).front()) ==
        "Operation timed out");
  CHECK(ask_names({}).empty());
}

TEST_CASE("targets are asked for at once; one that nobody can tell about has what it had before") {
  const Served served(answer);
  auto question = served.question("part.x", "http");
  question.timeout = Duration{300};
  question.last_targets = {{"one.x", {*IpAddress::parse("10.0.0.7")}},
                           {"silent.x", {*IpAddress::parse("10.0.0.8")}},
                           {"missing.x", {*IpAddress::parse("10.0.0.9")}}};
  const auto found = ask_name(question);
  CHECK(texts(found) == "10.0.0.8:8081*1 10.0.0.1:8080*1 silent-too.x: Operation timed out");
  CHECK(found.targets.size() == 2);
  CHECK(found.targets.at("silent.x").front().text() == "10.0.0.8:0");
}

TEST_CASE("without descriptors there is an error for an answer, and later another") {
  const Served served(answer);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const int free = ::dup(0);
  ::close(free);
  auto low = before;
  const auto limit_to = [&](int descriptors) {
    low.rlim_cur = static_cast<rlim_t>(descriptors);
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  };
  NameAsker asker;
  std::promise<Addresses> first;
  // None for the loop, half of what it needs, none for the socket.
  for (const int left : {0, 1}) {
    limit_to(free + left);
    CHECK(!ask_name(served.question("one.x")).error.empty());
    CHECK(::dup(0) == (left == 0 ? -1 : free));  // nothing has been left open
    ::close(free);
  }
  limit_to(free + 2);
  auto question = served.question("one.x");
  question.timeout = Duration{300};
  asker.ask({question}, [&](std::size_t, Addresses found) { first.set_value(std::move(found)); });
  CHECK(!first.get_future().get().error.empty());
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  std::promise<Addresses> second;
  asker.ask({question}, [&](std::size_t, Addresses found) { second.set_value(std::move(found)); });
  CHECK(texts(second.get_future().get()) == "10.0.0.1:0*1 ");
}

TEST_CASE("names of this machine are known without a name server") {
  const auto found = ask_name({.host = "localhost"});
  CHECK(found.error.empty());
  REQUIRE_FALSE(found.found.empty());
  for (const auto& address : found.found) {
    CHECK((address.host_text() == "127.0.0.1" || address.host_text() == "::1"));
    CHECK(address.port() == 0);
  }
}

TEST_CASE("the system's resolver") {
  const auto found = resolve_with_system("localhost");
  CHECK(found.error.empty());
  REQUIRE_FALSE(found.found.empty());
  for (const auto& address : found.found) {
    CHECK((address.host_text() == "127.0.0.1" || address.host_text() == "::1"));
    CHECK(address.port() == 0);
  }
  // Not a name at all, so nobody is asked.
  const auto none = resolve_with_system("no..name");
  CHECK(none.found.empty());
  CHECK_FALSE(none.error.empty());
}

}  // namespace weir::discovery
