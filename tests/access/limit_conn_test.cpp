#include "access/limit_conn.h"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

using namespace weir;
using namespace weir::access;

namespace {

constexpr auto passed = ConnectionVerdict::passed;
constexpr auto rejected = ConnectionVerdict::rejected;
constexpr HashSeed kSeed{1, 2};

ConnectionLimit limit(std::uint32_t most, std::size_t bytes = 1 << 20) {
  return {std::make_shared<ConnectionZone>(bytes, kSeed), most};
}

ConnectionDecision ask(const std::vector<ConnectionLimit>& limits,
                       const std::vector<std::string_view>& keys, ConnectionLeases& leases) {
  return limit_connections(limits, keys, leases);
}

}  // namespace

TEST_CASE("so many requests of a key are in progress, and no more") {
  const std::vector<ConnectionLimit> limits = {limit(2)};
  ConnectionLeases first, second, third, other;
  CHECK(ask(limits, {"a"}, first).verdict == passed);
  CHECK(ask(limits, {"a"}, second).verdict == passed);
  CHECK(ask(limits, {"a"}, third).verdict == rejected);
  CHECK(ask(limits, {"b"}, other).verdict == passed);
  CHECK(third.empty());
  CHECK(limits[0].zone->size() == 2);
  second.clear();
  CHECK(ask(limits, {"a"}, third).verdict == passed);
  first.clear();
  third.clear();
  CHECK(limits[0].zone->size() == 1);
  other.clear();
  CHECK(limits[0].zone->size() == 0);
}

TEST_CASE("without a key there is no limit") {
  const std::vector<ConnectionLimit> limits = {limit(1)};
  ConnectionLeases leases;
  const std::string longest(kMaxConnectionKey, 'x');
  CHECK(ask(limits, {""}, leases).verdict == ConnectionVerdict::unlimited);
  CHECK(ask(limits, {longest + "x"}, leases).verdict == ConnectionVerdict::unlimited);
  CHECK(leases.empty());
  CHECK(ask(limits, {longest}, leases).verdict == passed);
}

TEST_CASE("of several limits one that refuses gives back the others' places") {
  const std::vector<ConnectionLimit> limits = {limit(2), limit(1)};
  ConnectionLeases first, second;
  CHECK(ask(limits, {"a", "x"}, first).verdict == passed);
  CHECK(first.size() == 2);
  const auto decision = ask(limits, {"a", "x"}, second);
  CHECK(decision.verdict == rejected);
  CHECK(decision.limit == 1);
  CHECK_FALSE(decision.out_of_memory);
  CHECK(ask(limits, {"a", "y"}, second).verdict == passed);
  ConnectionLeases third;
  CHECK(ask(limits, {"a", "z"}, third).limit == 0);
  CHECK(ask(limits, {"", "z"}, third).verdict == passed);
  first.clear();
  second.clear();
  third.clear();
  CHECK(limits[0].zone->size() == 0);
  CHECK(limits[1].zone->size() == 0);
}

TEST_CASE("a full zone refuses new keys") {
  const std::vector<ConnectionLimit> limits = {limit(5, 2 * 64)};
  ConnectionLeases a, b, c;
  CHECK(ask(limits, {"a"}, a).verdict == passed);
  CHECK(ask(limits, {"b"}, b).verdict == passed);
  const auto decision = ask(limits, {"c"}, c);
  CHECK(decision.verdict == rejected);
  CHECK(decision.out_of_memory);
  a.clear();
  CHECK(ask(limits, {"c"}, c).verdict == passed);
}

TEST_CASE("leases keep their zone, and move") {
  auto zone = std::make_shared<ConnectionZone>(std::size_t{1} << 16, kSeed);
  const std::weak_ptr<ConnectionZone> seen = zone;
  ConnectionLease lease, moved;
  CHECK(lease.take(zone, "a", 1) == ConnectionLease::Outcome::taken);
  zone.reset();
  CHECK_FALSE(seen.expired());
  moved = std::move(lease);
  lease.release();
  CHECK_FALSE(seen.expired());
  CHECK(seen.lock()->size() == 1);
  moved.release();
  CHECK(seen.expired());
}

TEST_CASE("the status") {
  CHECK(connection_status(ConnectionVerdict::unlimited, true).empty());
  CHECK(connection_status(passed, true) == "PASSED");
  CHECK(connection_status(rejected, false) == "REJECTED");
  CHECK(connection_status(rejected, true) == "REJECTED_DRY_RUN");
}

TEST_CASE("threads never hold more places than there are") {
  const std::vector<ConnectionLimit> limits = {limit(3)};
  std::atomic<int> held{0};
  std::atomic<int> most{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5000; ++i) {
        ConnectionLeases leases;
        if (ask(limits, {"a"}, leases).verdict != passed) continue;
        const int now = ++held;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        --held;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(most <= 3);
  CHECK(most >= 1);
  CHECK(limits[0].zone->size() == 0);
}
