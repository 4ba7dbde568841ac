#include "upstream/moved.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "upstream/support.h"

namespace weir::upstream {
namespace {

PoolShape shape(config::Balance balance, const std::vector<std::uint32_t>& weights) {
  PoolShape result;
  result.balance = balance;
  result.peers = test::specs(weights);
  return result;
}

bool about(double value, double want) { return std::abs(value - want) < 0.01; }

}  // namespace

TEST_CASE("the share of clients that a change of a pool moves") {
  using config::Balance;
  struct Row {
    const char* name;
    Balance balance;
    std::vector<std::uint32_t> before;
    std::vector<std::uint32_t> after;
    double share;
  };
  // ip_hash: a client is moved unless its hash means the same peer by both sums of weights.
  const std::vector<Row> rows = {
      {"nothing changes", Balance::ip_hash, {1, 1, 1}, {1, 1, 1}, 0},
      {"ip_hash, three become four", Balance::ip_hash, {1, 1, 1}, {1, 1, 1, 1}, 0.75},
      {"ip_hash, four become two", Balance::ip_hash, {1, 1, 1, 1}, {1, 1}, 0.5},
      {"ip_hash, another weight", Balance::ip_hash, {1, 1}, {1, 3}, 0.25},
      {"ketama, three become four", Balance::hash_consistent, {1, 1, 1}, {1, 1, 1, 1}, 0.25},
      {"hash, two become four", Balance::hash, {1, 1}, {1, 1, 1, 1}, 0.5},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const auto moved = count_moved(shape(row.balance, row.before), shape(row.balance, row.after));
    CAPTURE(moved.share);
    // The points of a ring are spread by chance.
    CHECK(std::abs(moved.share - row.share) <
          (row.balance == Balance::hash_consistent ? 0.08 : 0.01));
    CHECK((moved.share == 0) == (row.share == 0));
    CHECK(!moved.all);
    double before = 0, after = 0;
    for (const auto& peer : moved.peers) before += peer.before, after += peer.after;
    CHECK(about(before, 1));
    CHECK(about(after, 1));
  }
}

TEST_CASE("a peer that is down or vanished keeps its place, so only its clients move") {
  for (const bool vanished : {false, true}) {
    const auto before = shape(config::Balance::ip_hash, {1, 1, 1, 1});
    auto after = before;
    (vanished ? after.peers[1].vanished : after.peers[1].down) = true;
    const auto moved = count_moved(before, after);
    CHECK(about(moved.share, 0.25));
    CHECK(moved.peers[1].was);
    CHECK(!moved.peers[1].is);
    CHECK(moved.peers[1].after == 0);
  }
}

TEST_CASE("a peer that checks found down is in the pool, and no client comes to it") {
  for (const auto health : {Health::down, Health::checking}) {
    auto before = shape(config::Balance::ip_hash, {1, 1, 1, 1});
    before.health[before.peers[1].endpoint.text()] = health;
    auto after = before;
    CHECK(count_moved(before, after).share == 0);
    after.peers[1].down = true;
    auto moved = count_moved(before, after);
    CHECK(moved.share == 0);
    CHECK(moved.peers[1].was);
    CHECK(moved.peers[1].before == 0);
    after = before;
    after.health.clear();
    moved = count_moved(before, after);
    CHECK(about(moved.share, 0.25));
    CHECK(about(moved.peers[1].after, 0.25));
  }
}

TEST_CASE("sticky clients move only where their peer goes away") {
  auto before = shape(config::Balance::round_robin, {1, 1, 1, 1});
  before.sticky = "cookie";
  auto more = shape(config::Balance::round_robin, {1, 1, 1, 1, 1});
  more.sticky = "cookie";
  CHECK(count_moved(before, more).share == 0);
  auto fewer = shape(config::Balance::round_robin, {1, 1, 1});
  fewer.sticky = "cookie";
  CHECK(about(count_moved(before, fewer).share, 0.25));
  auto renamed = before;
  renamed.sticky = "cookie other";
  CHECK(count_moved(before, renamed).all);
  // The first peer's clients bring what is nobody's now, and are shared out again.
  auto rerouted = before;
  rerouted.peers[0].sid = "new";
  CHECK(about(count_moved(before, rerouted).share, 0.25 * 0.75));
}

TEST_CASE("what binds clients may be another thing, or nothing") {
  auto by_key = shape(config::Balance::hash, {1, 1});
  by_key.key = "$uri";
  auto other_key = by_key;
  other_key.key = "$request_uri";
  CHECK(count_moved(by_key, other_key).all);
  CHECK(count_moved(by_key, shape(config::Balance::ip_hash, {1, 1})).all);
  const auto none = count_moved(shape(config::Balance::least_conn, {1}), by_key);
  CHECK(none.binding == Binding::none);
  CHECK(none.share == 0);
}

TEST_CASE("peers in slots are hashed by their slots") {
  auto before = shape(config::Balance::ip_hash, {1, 1, 1});
  for (int i = 0; i < 3; ++i) before.peers[static_cast<std::size_t>(i)].slot = i;
  auto after = before;
  after.peers.erase(after.peers.begin() + 1);
  CHECK(about(count_moved(before, after).share, 1.0 / 3));
}

}  // namespace weir::upstream
