#include <doctest/doctest.h>

#include "tls/session_cache.h"
#include "tls/shared_state.h"
#include "tls/ticket_keys.h"

using namespace weir::tls;

TEST_CASE("a cache gives back what was put, until it is too old") {
  SessionCache cache(10'000);
  cache.put("id", "session", 100);
  CHECK(cache.get("id", 99) == "session");
  CHECK(cache.get("other", 99).empty());
  CHECK(cache.get("id", 100).empty());
  CHECK(cache.count() == 0);
}

TEST_CASE("a cache makes room by its oldest sessions") {
  SessionCache cache(1'000);
  for (int i = 0; i < 20; ++i) cache.put("id" + std::to_string(i), std::string(100, 's'), 100);
  CHECK(cache.count() == 3);
  CHECK(cache.get("id0", 1).empty());
  CHECK(!cache.get("id19", 1).empty());
  cache.put("large", std::string(2'000, 's'), 100);
  CHECK(cache.get("large", 1).empty());
  CHECK(cache.count() == 3);
}

TEST_CASE("a session is replaced and dropped by its id") {
  SessionCache cache(1'000);
  cache.put("id", "one", 100);
  cache.put("id", "two", 100);
  CHECK(cache.get("id", 1) == "two");
  CHECK(cache.count() == 1);
  cache.drop("id");
  CHECK(cache.count() == 0);
}

TEST_CASE("keys of tickets are drawn anew, and the one before still opens") {
  TicketKeys keys(std::chrono::seconds{10});
  const auto first = keys.sealing(100).value();
  CHECK(keys.sealing(109)->name == first.name);
  const auto second = keys.sealing(110).value();
  CHECK(second.name != first.name);
  bool seals = true;
  CHECK(keys.opening(first.name.data(), 111, seals).has_value());
  CHECK(!seals);
  CHECK(keys.opening(second.name.data(), 111, seals).has_value());
  CHECK(seals);
  CHECK(!keys.opening(first.name.data(), 130, seals).has_value());
}

TEST_CASE("files of keys have one of two sizes") {
  CHECK(TicketKeys::parse(std::string(80, 'k')).has_value());
  CHECK(TicketKeys::parse(std::string(48, 'k'))->short_aes);
  CHECK(!TicketKeys::parse(std::string(64, 'k')).has_value());
  CHECK(!TicketKeys::parse("").has_value());
}

TEST_CASE("a cache is shared by its name and size for as long as somebody has it") {
  SharedState state;
  auto one = state.cache("zone", 1000);
  CHECK(state.cache("zone", 1000) == one);
  CHECK(state.cache("zone", 2000) != one);
  CHECK(state.cache("other", 1000) != one);
  one->put("id", "session", 100);
  one.reset();
  CHECK(state.cache("zone", 1000)->count() == 0);
}
