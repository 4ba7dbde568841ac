#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "upstream/peer_store.h"
#include "upstream/pool.h"

namespace {

using namespace weir;
using namespace weir::upstream;

constexpr std::size_t kSlots = 32;
constexpr std::size_t kClients = 600;

config::UpstreamConfig with_registry(config::Balance balance) {
  config::UpstreamConfig config;
  config.name = "app";
  config.balance = balance;
  config.registry.emplace();
  return config;
}

PeerSpec node(std::size_t slot, bool vanished) {
  PeerSpec spec;
  spec.name = "10.1.0." + std::to_string(slot) + ":80";
  spec.endpoint.ip = *IpAddress::parse_with_port(spec.name);
  spec.slot = static_cast<std::int32_t>(slot);
  spec.down = vanished;
  if (vanished) spec.why_down = "vanished";
  return spec;
}

// The slot each client goes to.
std::vector<std::int32_t> places(Pool& pool, TimePoint now) {
  std::vector<std::int32_t> out;
  Walk walk;
  for (std::size_t i = 0; i < kClients; ++i) {
    const auto text = std::to_string(i / 250 + 1) + "." + std::to_string(i % 250) + ".7.1";
    walk.reset(*IpAddress::parse(text));
    if (pool.balance() == config::Balance::hash ||
        pool.balance() == config::Balance::hash_consistent) {
      walk.begin_key() = text;
    }
    const auto choice = pool.pick(walk, now);
    out.push_back(choice.peer != nullptr ? choice.peer->spec.slot : -1);
    if (choice.peer != nullptr) pool.done(*choice.peer, Outcome::success, now);
  }
  return out;
}

TEST_CASE("whoever comes and goes, no client of a node that stays is moved") {
  ManualClock clock;
  for (const auto balance : {config::Balance::ip_hash, config::Balance::ip_hash_full,
                             config::Balance::hash, config::Balance::hash_consistent}) {
    CAPTURE(config::to_string(balance));
    const auto config = with_registry(balance);
    for (std::uint32_t seed = 1; seed <= 8; ++seed) {
      CAPTURE(seed);
      std::mt19937 random(seed);
      PeerStore store;
      std::vector<bool> live(kSlots), seen(kSlots);
      std::vector<std::int32_t> before;
      for (int step = 0; step < 40; ++step) {
        const std::size_t slot = random() % kSlots;
        const auto count = std::count(live.begin(), live.end(), true);
        if (live[slot] && count <= 2) continue;
        live[slot] = !live[slot];
        seen[slot] = true;
        if (random() % 5 == 0) {  // some are forgotten
          const std::size_t other = random() % kSlots;
          seen[other] = live[other];
        }
        std::vector<PeerSpec> specs;
        for (std::size_t i = 0; i < kSlots; ++i) {
          if (seen[i]) specs.push_back(node(i, !live[i]));
        }
        const auto pool = store.build(config, specs);
        store.commit(clock.now());
        const auto after = places(*pool, clock.now());
        for (std::size_t i = 0; i < before.size(); ++i) {
          if (after[i] == before[i]) continue;
          // It had the node that left, or has the one that came.
          const auto changed = static_cast<std::int32_t>(slot);
          REQUIRE((live[slot] ? after[i] == changed : before[i] == changed));
        }
        if (std::count(live.begin(), live.end(), true) >= 2) before = after;
      }
    }
  }
}

TEST_CASE("who was passed over is told, and what counted") {
  ManualClock clock;
  PeerStore store;
  const std::vector<PeerSpec> specs{node(3, false), node(9, false), node(17, false)};
  const auto pool = store.build(with_registry(config::Balance::ip_hash), specs);
  Walk walk;
  walk.reset(*IpAddress::parse("10.1.2.3"));
  const auto own = pool->pick(walk, clock.now());
  REQUIRE(own.peer != nullptr);
  CHECK(own.skipped == Closed::no);
  own.peer->health = Health::down;
  walk.reset(*IpAddress::parse("10.1.2.3"));
  const auto told = pool->explain(walk, clock.now());
  const auto other = pool->pick(walk, clock.now());
  REQUIRE(other.peer != nullptr);
  CHECK(other.peer != own.peer);
  CHECK(other.skipped == Closed::unhealthy);
  CHECK(told.skipped == Closed::unhealthy);
  CHECK(told.by_slots);
  CHECK(told.index == other.index);
  REQUIRE(told.named.size() == 2);
  CHECK(told.named[0].slot == own.index);
  CHECK(!told.named[0].taken);
  CHECK(told.named[1].slot == other.index);
  CHECK(told.peers[own.index].score > told.peers[other.index].score);
}

TEST_CASE("the order of arrivals means nothing") {
  ManualClock clock;
  const auto config = with_registry(config::Balance::ip_hash);
  std::vector<std::int32_t> first;
  for (std::uint32_t seed = 1; seed <= 5; ++seed) {
    std::vector<std::size_t> slots{0, 3, 9, 17, 31};
    std::mt19937 random(seed);
    std::shuffle(slots.begin(), slots.end(), random);
    PeerStore store;
    std::vector<PeerSpec> specs;
    std::shared_ptr<Pool> pool;
    for (const auto slot : slots) {
      specs.push_back(node(slot, false));
      pool = store.build(config, specs);
      store.commit(clock.now());
    }
    const auto now = places(*pool, clock.now());
    if (first.empty()) first = now;
    CHECK(now == first);
  }
}

TEST_CASE("clients are spread by weight") {
  ManualClock clock;
  const auto config = with_registry(config::Balance::ip_hash);
  std::vector<PeerSpec> specs{node(1, false), node(2, false), node(3, false)};
  specs[2].weight = 2;
  PeerStore store;
  const auto pool = store.build(config, specs);
  store.commit(clock.now());
  std::map<std::int32_t, int> counts;
  for (const auto slot : places(*pool, clock.now())) ++counts[slot];
  CHECK(counts[1] > 110);
  CHECK(counts[1] < 190);
  CHECK(counts[2] > 110);
  CHECK(counts[2] < 190);
  CHECK(counts[3] > 250);
  CHECK(counts[3] < 350);
}

TEST_CASE("who fails is passed over for another that stays the same, too") {
  ManualClock clock;
  const auto config = with_registry(config::Balance::ip_hash);
  std::vector<PeerSpec> specs;
  for (std::size_t slot = 0; slot < 4; ++slot) specs.push_back(node(slot, false));
  PeerStore store;
  const auto pool = store.build(config, specs);
  store.commit(clock.now());
  Walk walk;
  walk.reset(*IpAddress::parse("10.9.8.7"));
  std::vector<std::int32_t> order;
  for (int i = 0; i < 4; ++i) {
    const auto choice = pool->pick(walk, clock.now());
    REQUIRE(choice.peer != nullptr);
    CHECK(choice.reason == Reason::hash);
    order.push_back(choice.peer->spec.slot);
    pool->done(*choice.peer, Outcome::neutral, clock.now());
  }
  CHECK(pool->pick(walk, clock.now()).peer == nullptr);
  std::sort(order.begin(), order.end());
  CHECK(order == std::vector<std::int32_t>{0, 1, 2, 3});
}

TEST_CASE("static servers keep their clients beside nodes that come and go") {
  ManualClock clock;
  const auto config = with_registry(config::Balance::ip_hash);
  PeerSpec fixed;
  fixed.name = "10.2.0.1:80";
  fixed.endpoint.ip = *IpAddress::parse_with_port(fixed.name);
  PeerStore store;
  const std::vector<PeerSpec> one{fixed, node(4, false)};
  const auto before = places(*store.build(config, one), clock.now());
  store.commit(clock.now());
  const std::vector<PeerSpec> two{fixed, node(4, false), node(9, false)};
  const auto after = places(*store.build(config, two), clock.now());
  store.commit(clock.now());
  for (std::size_t i = 0; i < before.size(); ++i) {
    CHECK((after[i] == before[i] || after[i] == 9));
  }
}

}  // namespace
