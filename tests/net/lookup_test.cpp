// How a name is asked about: servers in turn, time-outs, TCP, callers that leave, and forgers.
#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "net/resolver_fixture.h"

using namespace weir;
using namespace weir::net;
using dns::Type;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::address, test::DnsServer, test::Query, test::ResolverFixture, test::say;

namespace {

using Replies = std::vector<std::string>;

const std::string kTimedOut = "x could not be resolved (110: Operation timed out)";

Replies silence(const Query&) { return {}; }
DnsServer::Handler always(const char* text) {
  return [=](const Query& query) -> Replies { return {query.with({address(query.name, text)})}; };
}

struct LookupFixture : ResolverFixture {
  LookupFixture() { options.ipv6 = false; }
};

}  // namespace

TEST_CASE_FIXTURE(LookupFixture, "many who wait for a name share one query") {
  bool answer = false;
  DnsServer server(loop, [&](const Query& query) -> Replies {
    if (!answer) return {};
    return {query.with({address(query.name, "10.0.0.1")})};
  });
  const auto resolver = make({&server});
  run([&]() -> Task<void> {
    std::vector<test::CallPtr> calls;
    for (int i = 0; i < 100; ++i) calls.push_back(start(*resolver, i % 2 == 0 ? "a.x" : "A.X."));
    co_await settle();
    CHECK(server.queries.size() == 1);
    CHECK(resolver->in_progress() == 1);
    answer = true;
    co_await pass(seconds{5});
    CHECK(server.queries.size() == 2);
    for (const auto& call : calls) CHECK(say(call->result) == "10.0.0.1");
    CHECK(resolver->in_progress() == 0);
  });
}

TEST_CASE_FIXTURE(LookupFixture, "who leaves disturbs nobody") {
  DnsServer server(loop, silence);
  const auto resolver = make({&server});
  run([&]() -> Task<void> {
    const auto cancelled = start(*resolver, "a.x");
    const auto impatient = start(*resolver, "a.x", seconds{2});
    const auto patient = start(*resolver, "a.x", seconds{30});
    co_await settle();
    cancelled->waiter.cancel();
    co_await settle();
    CHECK(cancelled->result.error == ResolveError::cancelled);
    CHECK_FALSE(impatient->done);
    co_await pass(seconds{2});
    CHECK(say(impatient->result) == kTimedOut);
    CHECK_FALSE(patient->done);
    CHECK(server.queries.size() == 1);
    server.handle(always("10.0.0.1"));
    co_await pass(seconds{3});
    CHECK(say(patient->result) == "10.0.0.1");
    CHECK(resolver->stats().timed_out == 1);
  });
}

TEST_CASE_FIXTURE(LookupFixture, "a caller may be destroyed while it waits") {
  DnsServer server(loop, silence);
  const auto resolver = make({&server});
  run([&]() -> Task<void> {
    auto gone = start(*resolver, "a.x");
    const auto stays = start(*resolver, "a.x");
    co_await settle();
    gone.reset();
    server.handle(always("10.0.0.1"));
    co_await pass(seconds{5});
    CHECK(say(stays->result) == "10.0.0.1");
  });
}

TEST_CASE_FIXTURE(LookupFixture, "for a cancelled waiter nobody is asked") {
  DnsServer server(loop, silence);
  const auto resolver = make({&server});
  run([&]() -> Task<void> {
    Waiter waiter(loop);
    waiter.cancel();
    const auto result = co_await resolver->resolve("a.x", waiter, TimePoint::max());
    CHECK(result.error == ResolveError::cancelled);
    co_await settle();
    CHECK(server.queries.empty());
  });
}

TEST_CASE_FIXTURE(LookupFixture, "another event of the waiter ends the wait, and it can go on") {
  DnsServer server(loop, silence);
  const auto resolver = make({&server});
  run([&]() -> Task<void> {
    const auto call = start(*resolver, "a.x");
    co_await settle();
    call->waiter.notify();
    co_await settle();
    CHECK(call->result.error == ResolveError::interrupted);
    const auto again = start(*resolver, "a.x");
    co_await settle();
    CHECK(server.queries.size() == 1);
    server.handle(always("10.0.0.1"));
    co_await pass(seconds{5});
    CHECK(say(again->result) == "10.0.0.1");
  });
}

TEST_CASE_FIXTURE(LookupFixture, "a look-up that nobody waits for ends, or fills the cache") {
  DnsServer server(loop, silence);
  const auto resolver = make({&server});
  run([&]() -> Task<void> {
    const auto call = start(*resolver, "a.x", seconds{1});
    co_await pass(seconds{1});
    CHECK(call->done);
    CHECK(resolver->in_progress() == 1);
    co_await pass(seconds{5});
    CHECK(resolver->in_progress() == 0);
    CHECK(server.queries.size() == 1);
    // One that is answered meanwhile is of use.
    std::optional<Query> asked;
    server.handle([&](const Query& query) -> Replies {
      asked = query;
      return {};
    });
    const auto second = start(*resolver, "b.x", seconds{1});
    co_await settle();
    second->waiter.cancel();
    co_await settle();
    CHECK(second->done);
    REQUIRE(asked);
    server.send(asked->with({address("b.x", "10.0.0.1")}), asked->from);
    co_await settle();
    CHECK(resolver->in_progress() == 0);
    CHECK(resolver->known("b.x"));
  });
}

TEST_CASE_FIXTURE(LookupFixture,
                  "servers are asked in turn, and after one that is silent the next") {
  DnsServer first(loop, always("10.0.0.1"));
  DnsServer second(loop, always("10.0.0.2"));
  const auto resolver = make({&first, &second});
  run([&]() -> Task<void> {
    CHECK(co_await ask(*resolver, "a") == "10.0.0.1");
    CHECK(co_await ask(*resolver, "b") == "10.0.0.2");
    CHECK(co_await ask(*resolver, "c") == "10.0.0.1");
    second.handle(silence);
    const auto call = start(*resolver, "d");
    co_await settle();
    CHECK(second.asked("d") == 1);
    co_await pass(milliseconds{4900});
    CHECK(first.asked("d") == 0);
    co_await pass(milliseconds{100});
    CHECK(first.asked("d") == 1);
    CHECK(say(call->result) == "10.0.0.1");
    // An answer's error is not the server's silence: as in nginx it counts.
    first.handle([](const Query& query) -> Replies { return {query.error(2)}; });
    second.handle([](const Query& query) -> Replies { return {query.error(2)}; });
    CHECK(co_await ask(*resolver, "e") == "x could not be resolved (2: Server failure)");
    CHECK(first.asked("e") + second.asked("e") == 1);
  });
}

TEST_CASE_FIXTURE(LookupFixture, "a late reply of an earlier server counts") {
  std::optional<Query> waiting;
  DnsServer first(loop, silence);
  DnsServer second(loop, silence);
  first.handle([&](const Query& query) -> Replies {
    waiting = query;
    return {};
  });
  const auto resolver = make({&first, &second});
  run([&]() -> Task<void> {
    const auto call = start(*resolver, "a");
    co_await pass(seconds{5});
    REQUIRE(waiting);
    CHECK(second.asked("a") == 1);
    first.send(waiting->with({address("a", "10.0.0.1")}), waiting->from);
    co_await settle();
    CHECK(say(call->result) == "10.0.0.1");
  });
}

TEST_CASE_FIXTURE(LookupFixture, "only the family that is missing is asked about again") {
  DnsServer server(loop, [](const Query& query) -> Replies {
    if (query.type == Type::aaaa) return {};
    return {query.with({address(query.name, "10.0.0.1")})};
  });
  options.ipv6 = true;
  const auto resolver = make({&server});
  run([&]() -> Task<void> {
    const auto call = start(*resolver, "a");
    co_await settle();
    CHECK(server.queries.size() == 2);
    CHECK_FALSE(call->done);
    server.handle([](const Query& query) -> Replies { return {query.nothing()}; });
    co_await pass(seconds{5});
    REQUIRE(server.queries.size() == 3);
    CHECK(server.queries[2].type == Type::aaaa);
    CHECK(say(call->result) == "10.0.0.1");
  });
}

TEST_CASE_FIXTURE(LookupFixture, "a port that is closed leads to the next server at once") {
  DnsServer closed(loop, silence);
  DnsServer good(loop, always("10.0.0.2"));
  const auto resolver = make({&closed, &good});
  closed.close();
  run([&]() -> Task<void> {
    CHECK(co_await ask(*resolver, "a") == "10.0.0.2");
    // If all are closed there is no use in hurry.
    good.close();
    const auto call = start(*resolver, "b", seconds{12});
    co_await settle();
    CHECK_FALSE(call->done);
    const auto queries = resolver->stats().queries.load();
    co_await settle();
    CHECK(resolver->stats().queries == queries);
    co_await pass(seconds{12});
    CHECK(say(call->result) == kTimedOut);
    CHECK(resolver->stats().queries <= queries + 3);
  });
}

TEST_CASE_FIXTURE(LookupFixture,
                  "what answers nothing is dropped, and the answer still waited for") {
  const struct {
    const char* what;
    std::function<std::string(Query)> useless;
  } rows[] = {
      {"nothing", [](const Query&) { return std::string(); }},
      {"half a header", [](const Query&) { return std::string("\x12\x34\x81"); }},
      {"another id",
       [](Query query) {
         ++query.id;
         return query.with({address(query.name, "6.6.6.6")});
       }},
      {"another name",
       [](Query query) {
         query.name = "b.x";
         return query.with({address("b.x", "6.6.6.6")});
       }},
      {"another type",
       [](Query query) {
         query.type = Type::aaaa;
         return query.with({address(query.name, "6::6")});
       }},
      {"the query itself", [](const Query& query) { return query.message(0x0100, 0, ""); }},
      {"an answer that makes no sense",
       [](const Query& query) { return query.with({test::record(query.name, Type::a, 9, "")}); }},
      {"an error of no meaning", [](const Query& query) { return query.error(9); }},
      {"a format error", [](const Query& query) { return query.error(1); }},
      {"a format error without the question",
       [](const Query& query) {
         return test::bytes16(query.id) + "\x81\x81" + std::string(8, '\0');
       }},
      {"an error without the question",
       [](const Query& query) {
         return test::bytes16(query.id) + "\x81\x83" + std::string(8, '\0');
       }},
  };
  DnsServer server(loop, silence);
  const auto resolver = make({&server});
  run([&]() -> Task<void> {
    int number = 0;
    for (const auto& row : rows) {
      CAPTURE(row.what);
      const std::string name = "a" + std::to_string(number++) + ".x";
      server.handle([&](const Query& query) -> Replies {
        return {row.useless(query), query.with({address(query.name, "10.0.0.1")})};
      });
      CHECK(co_await ask(*resolver, name) == "10.0.0.1");
      server.handle([&](const Query& query) -> Replies { return {row.useless(query)}; });
      const auto call = start(*resolver, "only-" + name, seconds{6});
      co_await settle();
      CHECK_FALSE(call->done);
      server.handle(always("10.0.0.2"));
      co_await pass(seconds{5});
      CHECK(say(call->result) == "10.0.0.2");
    }
  });
}

TEST_CASE_FIXTURE(LookupFixture, "a stranger's packet does not arrive, whatever it says") {
  Query asked;
  DnsServer server(loop, [&](const Query& query) -> Replies {
    asked = query;
    return {};
  });
  DnsServer stranger(loop, silence);
  const auto resolver = make({&server});
  run([&]() -> Task<void> {
    const auto call = start(*resolver, "a.x");
    co_await settle();
    stranger.send(asked.with({address("a.x", "6.6.6.6")}), asked.from);
    co_await settle();
    CHECK_FALSE(call->done);
    server.send(asked.with({address("a.x", "10.0.0.1")}), asked.from);
    co_await settle();
    CHECK(say(call->result) == "10.0.0.1");
    CHECK(resolver->stats().useless == 0);
  });
}

TEST_CASE_FIXTURE(LookupFixture, "whoever guesses ids is left behind by TCP") {
  DnsServer server(loop, [](const Query& query) -> Replies {
    if (query.tcp) return {query.with({address(query.name, "10.0.0.1")})};
    Replies guesses;
    Query guess = query;
    for (int i = 0; i < 50; ++i) {
      ++guess.id;
      guesses.push_back(guess.with({address(query.name, "6.6.6.6")}));
    }
    return guesses;
  });
  const auto resolver = make({&server});
  run([&]() -> Task<void> {
    CHECK(co_await ask(*resolver, "a.x") == "10.0.0.1");
    REQUIRE(server.queries.size() == 2);
    CHECK(server.queries[1].tcp);
    CHECK(resolver->stats().useless == 20);
  });
}

TEST_CASE_FIXTURE(LookupFixture, "a server that floods its client is read from no further") {
  DnsServer server(loop, [&](const Query& query) -> Replies {
    return Replies(query.tcp ? 30 : 300, query.error(1));
  });
  const auto resolver = make({&server});
  run([&]() -> Task<void> {
    const auto call = start(*resolver, "a.x", seconds{6});
    co_await settle();
    CHECK_FALSE(call->done);
    CHECK(resolver->stats().formerr == 40);
    CHECK(server.queries.size() == 2);
    co_await pass(seconds{6});
    CHECK(say(call->result) == kTimedOut);
  });
}

TEST_CASE_FIXTURE(LookupFixture, "replies that come all the time do not hide that time passes") {
  std::optional<Query> asked;
  DnsServer bad(loop, [&](const Query& query) -> Replies {
    asked = query;
    return {};
  });
  DnsServer good(loop, always("10.0.0.2"));
  const auto resolver = make({&bad, &good});
  run([&]() -> Task<void> {
    const auto call = start(*resolver, "a.x");
    co_await settle();
    REQUIRE(asked);
    ++asked->id;
    for (int i = 0; i < 10 && !call->done; ++i) {
      // In the same turn as the time-out.
      bad.send(asked->nothing(), asked->from);
      co_await pass(milliseconds{500});
    }
    CHECK(say(call->result) == "10.0.0.2");
  });
}

TEST_CASE_FIXTURE(LookupFixture, "ids and source ports are new for each query") {
  DnsServer server(loop, always("10.0.0.1"));
  const auto resolver = make({&server});
  run([&]() -> Task<void> {
    for (int i = 0; i < 50; ++i) co_await ask(*resolver, std::to_string(i));
    std::set<std::uint16_t> ids, ports;
    for (const auto& query : server.queries) {
      ids.insert(query.id);
      ports.insert(query.from);
    }
    CHECK(ids.size() > 40);
    CHECK(ports.size() > 40);
  });
}

TEST_CASE_FIXTURE(LookupFixture, "a truncated reply is fetched by TCP") {
  std::vector<std::string> many;
  DnsServer server(loop, [&](const Query& query) -> Replies {
    if (!query.tcp) return {query.truncated()};
    if (query.type == Type::aaaa) return {query.nothing()};
    return {query.with(many)};
  });
  for (int i = 0; i < 200; ++i) {
    many.push_back(address("a.x", "10.0.0." + std::to_string(i)));
  }
  options.ipv6 = true;
  const auto resolver = make({&server});
  run([&]() -> Task<void> {
    const auto call = start(*resolver, "a.x");
    co_await settle();
    CHECK(call->result.addresses.size() == 200);
    REQUIRE(server.queries.size() == 4);
    CHECK(server.queries[0].id == server.queries[2].id);
    CHECK(server.connections == 1);
  });
}

TEST_CASE_FIXTURE(LookupFixture,
                  "the first reply counts, and one truncated reply leads to TCP once") {
  DnsServer server(loop, [](const Query& query) -> Replies {
    if (query.type == Type::aaaa) return {};
    if (query.tcp) return {query.with({address(query.name, "10.0.0.3")})};
    if (query.name == "cut") return {query.truncated(), query.truncated()};
    return {query.with({address(query.name, "10.0.0.1")}), query.error(3), query.truncated()};
  });
  options.ipv6 = true;
  const auto resolver = make({&server});
  run([&]() -> Task<void> {
    const auto call = start(*resolver, "a.x");
    const auto cut = start(*resolver, "cut");
    co_await settle();
    CHECK(server.asked("a.x") == 2);
    CHECK(server.asked("cut") == 3);
    server.handle([](const Query& query) -> Replies { return {query.nothing()}; });
    co_await pass(seconds{5});
    CHECK(say(call->result) == "10.0.0.1");
    CHECK(say(cut->result) == "10.0.0.3");
  });
}

TEST_CASE_FIXTURE(LookupFixture, "a connection that has brought nothing is not waited for again") {
  DnsServer server(loop, [](const Query& query) -> Replies {
    return query.tcp ? Replies{} : Replies{query.truncated()};
  });
  const auto resolver = make({&server});
  run([&]() -> Task<void> {
    const auto call = start(*resolver, "a.x");
    co_await settle();
    CHECK(server.connections == 1);
    server.handle(always("10.0.0.1"));
    co_await pass(seconds{5});
    CHECK(server.connections == 2);
    CHECK(say(call->result) == "10.0.0.1");
  });
}

TEST_CASE_FIXTURE(LookupFixture, "TCP that fails or stays silent leads to the next server") {
  DnsServer truncating(loop, [](const Query& query) -> Replies {
    return query.tcp ? Replies{} : Replies{query.truncated()};
  });
  DnsServer good(loop, always("10.0.0.2"));
  const auto resolver = make({&truncating, &good});
  run([&]() -> Task<void> {
    const auto call = start(*resolver, "silent");
    co_await settle();
    CHECK_FALSE(call->done);
    co_await pass(seconds{5});
    CHECK(say(call->result) == "10.0.0.2");
    REQUIRE(good.queries.size() == 1);
    CHECK(good.queries[0].tcp);  // a truncated reply would be of no use again

    CHECK(co_await ask(*resolver, "so-that-the-first-is-next") == "10.0.0.2");
    truncating.close_tcp();
    CHECK(co_await ask(*resolver, "refused") == "10.0.0.2");
    CHECK(truncating.asked("refused") == 1);
  });
}

TEST_CASE_FIXTURE(LookupFixture, "a truncated reply by TCP, or one cut short, is none") {
  DnsServer server(loop, [](const Query& query) -> Replies { return {query.truncated()}; });
  const auto resolver = make({&server});
  run([&]() -> Task<void> {
    const auto call = start(*resolver, "a", seconds{11});
    co_await settle();
    co_await pass(seconds{5});
    CHECK_FALSE(call->done);
    CHECK(server.queries.size() >= 2);
    CHECK(server.queries.size() <= 4);
    server.handle(always("10.0.0.1"));
    co_await pass(seconds{5});
    CHECK(say(call->result) == "10.0.0.1");
  });
}

TEST_CASE_FIXTURE(LookupFixture, "there is a limit to look-ups in progress") {
  DnsServer server(loop, silence);
  options.lookups = 3;
  const auto resolver = make({&server});
  run([&]() -> Task<void> {
    std::vector<test::CallPtr> calls;
    for (const char* name : {"a", "b", "c"}) calls.push_back(start(*resolver, name));
    const auto refused = start(*resolver, "d");
    co_await settle();
    CHECK(refused->result.error == ResolveError::too_many);
    const auto shared = start(*resolver, "a");
    co_await settle();
    CHECK_FALSE(shared->done);
    // One that nobody waits for gives way.
    calls[1]->waiter.cancel();
    co_await settle();
    CHECK(resolver->in_progress() == 3);
    const auto taken = start(*resolver, "d");
    co_await settle();
    CHECK_FALSE(taken->done);
    CHECK(resolver->in_progress() == 3);
    CHECK(server.asked("d") == 1);
  });
}

TEST_CASE_FIXTURE(LookupFixture, "a resolver that goes tells those who wait") {
  DnsServer server(loop, silence);
  auto resolver = make({&server});
  run([&]() -> Task<void> {
    const auto first = start(*resolver, "a");
    const auto second = start(*resolver, "a");
    const auto other = start(*resolver, "b");
    co_await settle();
    resolver.reset();
    co_await settle();
    CHECK(first->result.error == ResolveError::cancelled);
    CHECK(second->result.error == ResolveError::cancelled);
    CHECK(other->result.error == ResolveError::cancelled);
  });
}
