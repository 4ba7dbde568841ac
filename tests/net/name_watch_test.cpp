#include "net/name_watch.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "net/resolver_fixture.h"

using namespace weir;
using namespace weir::net;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::address, test::DnsServer, test::Query, test::ResolverFixture;

namespace {

using Replies = std::vector<std::string>;

struct WatchFixture : ResolverFixture {
  WatchFixture() {
    options.ipv6 = false;
    resolver = make({&server});
  }
  std::vector<std::string> now_at{"10.0.0.1"};
  std::size_t ttl = 5;
  int code = 0;
  std::string log;

  DnsServer server{loop, [this](const Query& query) -> Replies {
                     if (code != 0) return {query.error(code)};
                     std::vector<std::string> records;
                     for (const auto& each : now_at) {
                       records.push_back(address(query.name, each, ttl));
                     }
                     return {query.with(records)};
                   }};
  std::unique_ptr<Resolver> resolver;

  std::unique_ptr<NameWatch> watch(NameWatch::Timing timing = {}) {
    return std::make_unique<NameWatch>(
        loop, *resolver, "app.x", timing,
        NameWatch::Events{
            [this](const auto& addresses) {
              for (const auto& each : addresses) log += each.host_text() + " ";
              log += "| ";
            },
            [this](ResolveError error) { log += std::to_string(static_cast<int>(error)) + "! "; }});
  }
};

}  // namespace

TEST_CASE_FIXTURE(WatchFixture, "a name is asked about again when its answer has run out") {
  run([&]() -> Task<void> {
    const auto watched = watch();
    co_await settle();
    CHECK(log == "10.0.0.1 | ");
    now_at = {"10.0.0.2"};
    co_await pass(milliseconds{4900});
    CHECK(log == "10.0.0.1 | ");
    co_await pass(milliseconds{100});
    CHECK(log == "10.0.0.1 | 10.0.0.2 | ");
    CHECK(watched->addresses().size() == 1);
    CHECK(server.queries.size() == 2);
  });
}

TEST_CASE_FIXTURE(WatchFixture, "another order is no change") {
  now_at = {"10.0.0.2", "10.0.0.1", "10.0.0.1"};
  run([&]() -> Task<void> {
    const auto watched = watch();
    co_await settle();
    now_at = {"10.0.0.1", "10.0.0.2"};
    co_await pass(seconds{5});
    CHECK(server.queries.size() == 2);
    CHECK(log == "10.0.0.1 10.0.0.2 | ");
  });
}

TEST_CASE_FIXTURE(WatchFixture, "a failure keeps the addresses, and is followed by another try") {
  code = 2;
  run([&]() -> Task<void> {
    const auto watched = watch();
    co_await settle();
    CHECK(log == "2! ");
    CHECK(watched->addresses().empty());
    code = 0;
    co_await pass(seconds{2});
    CHECK(log == "2! 10.0.0.1 | ");
    code = 3;
    co_await pass(seconds{5});
    CHECK(log == "2! 10.0.0.1 | 3! ");
    CHECK(watched->addresses().size() == 1);
    // Back where it was: nothing has changed.
    code = 0;
    co_await pass(seconds{2});
    CHECK(log == "2! 10.0.0.1 | 3! ");
    CHECK(server.queries.size() == 4);
  });
}

TEST_CASE_FIXTURE(WatchFixture, "answers without a lifetime are not asked for all the time") {
  ttl = 0;
  run([&]() -> Task<void> {
    const auto watched = watch();
    for (int i = 0; i < 10; ++i) co_await pass(milliseconds{500});
    CHECK(server.queries.size() >= 5);
    CHECK(server.queries.size() <= 6);
  });
}

TEST_CASE_FIXTURE(WatchFixture, "a watch that goes leaves nothing behind") {
  code = 2;
  run([&]() -> Task<void> {
    auto waiting = watch();  // for the answer
    waiting.reset();
    auto between = watch();
    co_await settle();
    between.reset();
    const auto asked = server.queries.size();
    const auto said = log;
    co_await pass(seconds{60});
    CHECK(server.queries.size() == asked);
    CHECK(log == said);
  });
}
