#include "net/resolver.h"

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
using test::address, test::cname, test::DnsServer, test::Query, test::ResolverFixture, test::say;

namespace {

using Replies = std::vector<std::string>;

// IPv4 addresses for one type, IPv6 for the other.
Replies reply(const Query& query, const std::vector<std::string>& addresses,
              std::size_t ttl = 3600) {
  std::vector<std::string> records;
  for (const auto& each : addresses) {
    const bool v6 = each.find(':') != each.npos;
    if (v6 == (query.type == Type::aaaa)) records.push_back(address(query.name, each, ttl));
  }
  return {query.with(records)};
}

DnsServer::Handler always(std::vector<std::string> addresses, std::size_t ttl = 3600) {
  return [=](const Query& query) { return reply(query, addresses, ttl); };
}

}  // namespace

TEST_CASE_FIXTURE(ResolverFixture, "a name is asked about once for each family, and then known") {
  DnsServer server(loop, always({"10.0.0.1", "10.0.0.2", "::1"}));
  const auto resolver = make({&server});
  run([&]() -> Task<void> {
    CHECK_FALSE(resolver->known("a.example"));
    CHECK(co_await ask(*resolver, "a.example") == "10.0.0.1 10.0.0.2 ::1");
    REQUIRE(server.queries.size() == 2);
    CHECK(server.queries[0].type == Type::a);
    CHECK(server.queries[1].type == Type::aaaa);
    CHECK(server.queries[0].id != server.queries[1].id);
    // In any case of letters, with or without the final dot.
    const auto known = resolver->known("A.Example.");
    REQUIRE(known);
    CHECK(known->addresses.size() == 3);
    CHECK(known->valid_until == loop.now() + seconds{3600});
    CHECK(server.queries.size() == 2);
    CHECK(resolver->stats().names == 2);
    CHECK(resolver->stats().cached == 1);
    CHECK(resolver->stats().queries == 2);
    CHECK(resolver->stats().noerror == 2);
  });
}

TEST_CASE_FIXTURE(ResolverFixture, "addresses, and what is no name, are not asked about") {
  DnsServer server(loop, always({"10.0.0.1"}));
  const auto resolver = make({&server});
  run([&]() -> Task<void> {
    CHECK(co_await ask(*resolver, "192.0.2.7") == "192.0.2.7");
    CHECK(co_await ask(*resolver, "[2001:db8::1]") == "2001:db8::1");
    CHECK(co_await ask(*resolver, "2001:db8::1") == "2001:db8::1");
    for (const char* name : {"", ".", "a..b", "a b"}) {
      CHECK(co_await ask(*resolver, name) == "x could not be resolved (3: Host not found)");
    }
    CHECK(server.queries.empty());
  });
}

TEST_CASE_FIXTURE(ResolverFixture, "families can be left out") {
  DnsServer server(loop, always({"10.0.0.1", "::1"}));
  options.ipv6 = false;
  const auto only_v4 = make({&server});
  options.ipv6 = true;
  options.ipv4 = false;
  const auto only_v6 = make({&server});
  run([&]() -> Task<void> {
    CHECK(co_await ask(*only_v4, "a.x") == "10.0.0.1");
    CHECK(co_await ask(*only_v6, "a.x") == "::1");
    REQUIRE(server.queries.size() == 2);
    CHECK(server.queries[0].type == Type::a);
    CHECK(server.queries[1].type == Type::aaaa);
  });
}

TEST_CASE_FIXTURE(ResolverFixture, "what two replies come to together, as in nginx") {
  // What the name says for each family: z nothing, a addresses, c an alias that has both families,
  // d an alias with its addresses, e a failure, n that it does not exist.
  DnsServer server(loop, [](const Query& query) -> Replies {
    if (query.name == "alias") return reply(query, {"127.0.0.3", "::3"});
    const bool v4 = query.type == Type::a;
    const char says = query.name[v4 ? 0 : 1];
    const std::string own = v4 ? "127.0.0.1" : "::1";
    switch (says) {
      case 'a':
        return {query.with({address(query.name, own)})};
      case 'c':
        return {query.with({cname(query.name, "alias")})};
      case 'd':
        return {query.with({cname(query.name, "other"), address("other", own)})};
      case 'e':
        return {query.error(2)};
      case 'n':
        return {query.error(3)};
      default:
        return {query.nothing()};
    }
  });
  const auto resolver = make({&server});
  const std::string not_found = "x could not be resolved (3: Host not found)";
  const std::string failure = "x could not be resolved (2: Server failure)";
  const struct {
    const char* name;
    std::string want;
  } rows[] = {
      {"zz", not_found},       {"za", "::1"},       {"zc", "127.0.0.3 ::3"}, {"zd", "::1"},
      {"ze", failure},         {"az", "127.0.0.1"}, {"aa", "127.0.0.1 ::1"}, {"ac", "127.0.0.1"},
      {"ad", "127.0.0.1 ::1"}, {"ae", failure},     {"cz", not_found},       {"ca", "::1"},
      {"cc", "127.0.0.3 ::3"}, {"cd", "::1"},       {"ce", failure},         {"dz", "127.0.0.1"},
      {"da", "127.0.0.1 ::1"}, {"dc", "127.0.0.1"}, {"dd", "127.0.0.1 ::1"}, {"de", failure},
      {"ez", failure},         {"ea", failure},     {"ec", failure},         {"ed", failure},
      {"ee", failure},         {"en", not_found},   {"ne", failure},         {"nn", not_found},
  };
  run([&]() -> Task<void> {
    for (const auto& row : rows) {
      CAPTURE(row.name);
      auto got = co_await ask(*resolver, row.name);
      // Met before, the alias is known, and its addresses are turned at random.
      if (got == "::3 127.0.0.3") got = "127.0.0.3 ::3";
      CHECK(got == row.want);
    }
  });
}

TEST_CASE_FIXTURE(ResolverFixture, "codes become errors, and are not kept") {
  int code = 0;
  DnsServer server(loop, [&](const Query& query) -> Replies { return {query.error(code)}; });
  options.ipv6 = false;
  const auto resolver = make({&server});
  const struct {
    int code;
    const char* want;
  } rows[] = {{2, "x could not be resolved (2: Server failure)"},
              {3, "x could not be resolved (3: Host not found)"},
              {4, "x could not be resolved (4: Unimplemented)"},
              {5, "x could not be resolved (5: Operation refused)"},
              {0, "x could not be resolved (3: Host not found)"}};
  run([&]() -> Task<void> {
    for (const auto& row : rows) {
      code = row.code;
      const auto asked = server.queries.size();
      const auto call = start(*resolver, "a.x");
      co_await settle();
      CHECK(say(call->result) == row.want);
      CHECK(call->result.valid_until == loop.now() + seconds{10});
      CHECK(server.queries.size() == asked + 1);
      CHECK_FALSE(resolver->known("a.x"));
    }
    CHECK(resolver->cached(LookupKind::addresses) == 0);
    CHECK(resolver->stats().servfail == 1);
    CHECK(resolver->stats().nxdomain == 1);
    CHECK(resolver->stats().notimp == 1);
    CHECK(resolver->stats().refused == 1);
    server.handle(always({"10.0.0.1"}));
    CHECK(co_await ask(*resolver, "a.x") == "10.0.0.1");
  });
}

TEST_CASE_FIXTURE(ResolverFixture, "answers are kept for their lifetime, or for the one given") {
  DnsServer server(loop, always({"10.0.0.1"}, 60));
  options.ipv6 = false;
  const auto by_ttl = make({&server});
  options.valid = seconds{300};
  const auto by_option = make({&server});
  run([&]() -> Task<void> {
    CHECK(co_await ask(*by_ttl, "a.x") == "10.0.0.1");
    CHECK(co_await ask(*by_option, "a.x") == "10.0.0.1");
    co_await pass(seconds{59});
    CHECK(by_ttl->known("a.x"));
    co_await pass(seconds{1});
    CHECK_FALSE(by_ttl->known("a.x"));
    CHECK(by_option->known("a.x"));
    CHECK(server.queries.size() == 2);
    CHECK(co_await ask(*by_ttl, "a.x") == "10.0.0.1");
    CHECK(server.queries.size() == 3);
    co_await pass(seconds{239});
    CHECK(by_option->known("a.x"));
    co_await pass(seconds{1});
    CHECK_FALSE(by_option->known("a.x"));
    // With nothing found, the lifetime given is when to ask again.
    server.handle([](const Query& query) -> Replies { return {query.nothing()}; });
    const auto call = start(*by_option, "b.x");
    co_await settle();
    CHECK(call->result.valid_until == loop.now() + seconds{300});
  });
}

TEST_CASE_FIXTURE(ResolverFixture, "an answer without a lifetime serves those who wait, once") {
  DnsServer server(loop, always({"10.0.0.1"}, 0));
  options.ipv6 = false;
  const auto resolver = make({&server});
  run([&]() -> Task<void> {
    const auto first = start(*resolver, "a.x");
    const auto second = start(*resolver, "a.x");
    co_await settle();
    CHECK(say(first->result) == "10.0.0.1");
    CHECK(say(second->result) == "10.0.0.1");
    CHECK(server.queries.size() == 1);
    CHECK_FALSE(resolver->known("a.x"));
    CHECK(co_await ask(*resolver, "a.x") == "10.0.0.1");
    CHECK(server.queries.size() == 2);
  });
}

TEST_CASE_FIXTURE(ResolverFixture, "the last good answer outlives its lifetime and failures") {
  DnsServer server(loop, [](const Query& query) -> Replies {
    if (query.name == "alias.x") return {query.with({cname("alias.x", "a.x", 5)})};
    return reply(query, {"10.0.0.1"}, 5);
  });
  options.ipv6 = false;
  const auto resolver = make({&server});
  run([&]() -> Task<void> {
    CHECK(resolver->last_good("a.x").error == ResolveError::not_found);
    CHECK(co_await ask(*resolver, "alias.x") == "10.0.0.1");
    co_await pass(seconds{6});
    server.handle([](const Query& query) -> Replies { return {query.error(2)}; });
    CHECK(co_await ask(*resolver, "a.x") == "x could not be resolved (2: Server failure)");
    CHECK(co_await ask(*resolver, "alias.x") == "x could not be resolved (2: Server failure)");
    CHECK(say(resolver->last_good("a.x")) == "10.0.0.1");
    CHECK(say(resolver->last_good("ALIAS.x.")) == "10.0.0.1");
    CHECK(resolver->last_good("a.x").valid_until < loop.now());
    CHECK(say(resolver->last_good("192.0.2.1")) == "192.0.2.1");
    // The name has become an alias of one that fails: what was good still is.
    server.handle([](const Query& query) -> Replies {
      if (query.name == "a.x") return {query.with({cname("a.x", "gone.x", 5)})};
      return {query.error(2)};
    });
    CHECK(co_await ask(*resolver, "a.x") == "x could not be resolved (2: Server failure)");
    CHECK(say(resolver->last_good("a.x")) == "10.0.0.1");
  });
}

TEST_CASE_FIXTURE(ResolverFixture, "the cache is bounded: what was not used for longest leaves") {
  DnsServer server(loop, always({"10.0.0.1"}));
  options.ipv6 = false;
  options.cache_entries = 3;
  const auto resolver = make({&server});
  run([&]() -> Task<void> {
    for (const char* name : {"a", "b", "c"}) co_await ask(*resolver, name);
    CHECK(resolver->known("a"));
    co_await ask(*resolver, "d");
    CHECK(resolver->cached(LookupKind::addresses) == 3);
    CHECK(resolver->known("a"));
    CHECK_FALSE(resolver->known("b"));
    CHECK(resolver->last_good("b").error == ResolveError::not_found);
    CHECK(resolver->known("c"));
    CHECK(resolver->known("d"));
  });
}

TEST_CASE_FIXTURE(ResolverFixture, "a new answer comes as received; a kept one is turned") {
  DnsServer server(loop, always({"10.0.0.1", "10.0.0.2", "10.0.0.3", "::1", "::2"}));
  options.servers = {server.where()};
  // Two ids; then for each answer from the cache: where the list begins, where each family does.
  std::vector<std::uint64_t> numbers{1, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 4, 1, 0};
  std::size_t next = 0;
  Resolver resolver(loop, options, [&] { return numbers.at(next++); });
  const char* turned[] = {
      "10.0.0.1 10.0.0.2 10.0.0.3 ::1 ::2",
      "::2 10.0.0.1 10.0.0.2 10.0.0.3 ::1",
      "10.0.0.3 10.0.0.1 10.0.0.2 ::2 ::1",
      "10.0.0.3 10.0.0.1 ::1 ::2 10.0.0.2",
  };
  run([&]() -> Task<void> {
    CHECK(co_await ask(resolver, "a") == turned[0]);
    for (const char* want : turned) CHECK(co_await ask(resolver, "a") == want);
    CHECK(next == numbers.size());
  });
}

TEST_CASE_FIXTURE(ResolverFixture, "aliases are followed by further queries, through the cache") {
  DnsServer server(loop, [](const Query& query) -> Replies {
    if (query.name == "a.x") return {query.with({cname("a.x", "b.x", 100)})};
    if (query.name == "b.x") {
      return {query.with({cname("b.x", "c.x", 7), cname("c.x", "d.x", 50)})};
    }
    if (query.name == "d.x") return reply(query, {"10.0.0.1"}, 30);
    return {query.error(3)};
  });
  options.ipv6 = false;
  const auto resolver = make({&server});
  run([&]() -> Task<void> {
    const auto call = start(*resolver, "a.x");
    co_await settle();
    CHECK(say(call->result) == "10.0.0.1");
    CHECK(call->result.valid_until == loop.now() + seconds{7});
    CHECK(server.queries.size() == 3);
    CHECK(resolver->known("a.x"));
    co_await pass(seconds{8});
    CHECK_FALSE(resolver->known("a.x"));
    CHECK(resolver->known("d.x"));
    CHECK(co_await ask(*resolver, "a.x") == "10.0.0.1");
    CHECK(server.asked("a.x") == 1);
    CHECK(server.asked("b.x") == 2);
    CHECK(server.asked("d.x") == 1);
  });
}

TEST_CASE_FIXTURE(ResolverFixture, "aliases that lead nowhere, in a circle or too far end") {
  DnsServer server(loop, [](const Query& query) -> Replies {
    if (query.name == "root") return {query.with({cname("root", "")})};
    if (query.name == "ping") return {query.with({cname("ping", "pong")})};
    if (query.name == "pong") return {query.with({cname("pong", "ping")})};
    const int number = std::stoi(query.name);
    if (number == 0) return reply(query, {"10.0.0.1"});
    return {query.with({cname(query.name, std::to_string(number - 1))})};
  });
  options.ipv6 = false;
  const auto resolver = make({&server});
  const std::string not_found = "x could not be resolved (3: Host not found)";
  run([&]() -> Task<void> {
    CHECK(co_await ask(*resolver, "root") == not_found);
    CHECK(co_await ask(*resolver, "ping") == not_found);
    CHECK(server.asked("ping") == 1);
    CHECK(server.asked("pong") == 1);
    CHECK(co_await ask(*resolver, "16") == "10.0.0.1");
    CHECK(co_await ask(*resolver, "18") == not_found);
    CHECK(server.queries.size() < 25);
  });
}

TEST_CASE_FIXTURE(ResolverFixture, "services are asked about by name, sorted, and kept") {
  DnsServer server(loop, [](const Query& query) -> Replies {
    CHECK(query.type == Type::srv);
    if (query.name == "_http._tcp.alias.x") {
      return {query.with({cname(query.name, "_http._tcp.a.x")})};
    }
    if (query.name != "_http._tcp.a.x" && query.name != "svc.other.a.x") return {query.error(3)};
    return {query.with({test::srv(query.name, 20, 0, 8082, "c.x", 60),
                        test::srv(query.name, 10, 3, 8080, "a.x", 60),
                        test::srv(query.name, 10, 7, 8081, "b.x", 60)})};
  });
  const auto resolver = make({&server});
  const std::vector<dns::Service> want = {
      {"a.x", 10, 3, 8080}, {"b.x", 10, 7, 8081}, {"c.x", 20, 1, 8082}};
  run([&]() -> Task<void> {
    Waiter waiter(loop);
    const auto deadline = loop.now() + seconds{5};
    for (const char* name : {"a.x", "A.x.", "alias.x"}) {
      const auto result = co_await resolver->resolve_service("http", name, waiter, deadline);
      CHECK(result.services == want);
    }
    CHECK(server.queries.size() == 2);
    const auto plain = co_await resolver->resolve_service("svc.other", "a.x", waiter, deadline);
    CHECK(plain.services == want);
    const auto none = co_await resolver->resolve_service("http", "none.x", waiter, deadline);
    CHECK(none.error == ResolveError::not_found);
    const auto bad = co_await resolver->resolve_service("http", "", waiter, deadline);
    CHECK(bad.error == ResolveError::not_found);
    co_await pass(seconds{61});
    CHECK(resolver->last_good_service("http", "a.x").services == want);
    CHECK(resolver->last_good_service("http", "alias.x").services == want);
    CHECK_FALSE(resolver->last_good_service("http", "none.x").ok());
    CHECK(resolver->stats().services == 6);
    CHECK(resolver->stats().cached == 1);
  });
}
