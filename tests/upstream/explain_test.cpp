// Pool::explain: what pick() is about to do, told without doing it.
#include <doctest/doctest.h>

#include <random>

#include "upstream/support.h"

namespace weir::upstream {
using config::Balance;
using test::at;

namespace {

struct State {
  std::vector<std::int64_t> numbers;
  friend bool operator==(const State&, const State&) = default;
};

State state_of(const Pool& pool) {
  State state;
  for (const auto& peer : pool.peers()) {
    for (const std::int64_t number :
         {std::int64_t{peer->conns.load()}, std::int64_t{peer->fails}, peer->effective_weight,
          peer->current_weight, peer->accessed, peer->checked, peer->inflight}) {
      state.numbers.push_back(number);
    }
  }
  return state;
}

}  // namespace

TEST_CASE("what is explained is what happens, and explaining changes nothing") {
  std::mt19937 random(7);
  const auto draw = [&](std::uint32_t below) {
    return static_cast<std::uint32_t>(random() % below);
  };
  for (const auto balance :
       {Balance::round_robin, Balance::ip_hash, Balance::ip_hash_full, Balance::hash,
        Balance::hash_consistent, Balance::least_conn, Balance::random, Balance::random_two,
        Balance::random_two_header, Balance::random_two_last_byte, Balance::least_time_header,
        Balance::least_time_header_inflight, Balance::least_time_last_byte}) {
    CAPTURE(config::to_string(balance));
    for (int round = 0; round < 40; ++round) {
      auto specs = test::specs({1, 1, 1, 1, 1});
      for (auto& spec : specs) {
        spec.weight = 1 + draw(3);
        spec.max_conns = draw(4) == 0 ? 2 : 0;
        spec.down = draw(8) == 0;
        spec.backup = draw(5) == 0;
      }
      if (specs[0].backup) specs[0].backup = false;
      Pool pool("app", balance, test::make_peers(specs));
      double now = 0;
      for (int i = 0; i < 30; ++i) {
        now += draw(4);
        pool.hold(draw(5), draw(3) == 0 ? Hold::draining : Hold::none, at(now));
        Walk walk;
        walk.reset(*IpAddress::parse("10." + std::to_string(draw(200)) + ".3.4"));
        if (balance == Balance::hash || balance == Balance::hash_consistent) {
          walk.begin_key() = "k" + std::to_string(draw(1000));
        }
        walk.seed(random());
        const auto before = state_of(pool);
        const auto told = pool.explain(walk, at(now));
        CHECK(state_of(pool) == before);
        const auto choice = pool.pick(walk, at(now));
        REQUIRE(told.has_peer == (choice.peer != nullptr));
        CHECK(told.reason == choice.reason);
        REQUIRE(told.peers.size() == 5);
        if (choice.peer != nullptr) {
          CHECK(told.index == choice.index);
          CHECK(told.peers[told.index].why_not.empty());
          if (draw(3) > 0) {
            pool.done(*choice.peer, draw(3) == 0 ? Outcome::failure : Outcome::success, at(now));
          }
        }
        for (std::size_t k = 0; k < told.peers.size(); ++k) {
          const bool chosen = told.has_peer && k == told.index;
          CHECK(told.peers[k].why_not.empty() == chosen);
        }
      }
    }
  }
}

TEST_CASE("the arithmetic of ip_hash") {
  Pool pool("app", Balance::ip_hash, test::make_peers(test::specs({1, 2, 1})));
  Walk walk;
  walk.reset(test::client("10.1.2.3"));
  // By nginx's rule: 89, then three times (hash * 113 + octet) % 6271.
  std::uint32_t hash = 89;
  for (const std::uint32_t octet : {10u, 1u, 2u}) hash = (hash * 113 + octet) % 6271;
  const auto told = pool.explain(walk, at(0));
  REQUIRE(told.named.size() == 1);
  CHECK(told.named[0].value == hash);
  CHECK(told.named[0].point == hash % 4);
  CHECK(told.named[0].taken);
  CHECK(told.named[0].slot == told.index);
  CHECK(told.total_weight == 4);
  CHECK(told.peers[1].first_point == 1);
  CHECK(told.peers[2].first_point == 3);
  // Its own peer is away: the hash goes on.
  pool.hold(told.index, Hold::down, at(0));
  const auto other = pool.explain(walk, at(0));
  CHECK(other.named.size() >= 2);
  CHECK(!other.named.front().taken);
  CHECK(other.named.front().slot == told.index);
  CHECK(other.index != told.index);
  CHECK(other.peers[told.index].why_not == "down, set at run time");
}

TEST_CASE("why a peer is out") {
  auto specs = test::specs({1, 1, 1, 1, 1, 1});
  specs[0].down = true;
  specs[1].max_conns = 1;
  specs[5].backup = true;
  Pool pool("app", Balance::round_robin, test::make_peers(specs));
  pool.peers()[1]->conns = 1;
  pool.peers()[2]->health = Health::down;
  pool.peers()[3]->fails = 1;
  pool.peers()[3]->checked = at(0).time_since_epoch().count() / 1000;
  Walk walk;
  walk.reset(test::client());
  const auto told = pool.explain(walk, at(1));
  CHECK(told.peers[0].why_not == "down in the configuration");
  CHECK(told.peers[1].why_not == "max_conns=1 reached");
  CHECK(told.peers[2].why_not == "failed its checks");
  CHECK(told.peers[3].why_not == "1 failures, max_fails=1, out for 10 s after the last one");
  CHECK(told.peers[4].why_not == "");
  CHECK(told.peers[5].why_not == "a backup: only when no primary may");
}

}  // namespace weir::upstream
