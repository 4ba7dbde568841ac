// What operators set, and what becomes of picks.
#include "upstream/operator_state.h"

#include <doctest/doctest.h>

#include "upstream/peer_store.h"
#include "upstream/support.h"

namespace weir::upstream {
using config::Balance;
using test::at;

namespace {

// The indexes of the peers that `count` requests go to; 'x': nowhere.
std::string picks(Pool& pool, int count, double seconds = 0) {
  std::string result;
  Walk walk;
  for (int i = 0; i < count; ++i) {
    walk.reset(test::client());
    const auto choice = pool.pick(walk, at(seconds));
    result += choice.peer == nullptr ? 'x' : static_cast<char>('0' + choice.index);
    if (choice.peer != nullptr) pool.done(*choice.peer, Outcome::success, at(seconds));
  }
  return result;
}

std::string holds(const Pool& pool) {
  std::string result;
  for (const auto& peer : pool.peers()) {
    result += std::string(result.empty() ? "" : " ") + to_string(peer->hold.load());
  }
  return result;
}

}  // namespace

TEST_CASE("who is held by what is set") {
  struct Row {
    const char* name;
    void (*set)(PoolSetting&);
    const char* holds;
  };
  const Row rows[] = {
      {"nothing", [](auto&) {}, "none none none"},
      {"a peer drains", [](auto& pool) { pool.peers["127.0.0.1:8001"].hold = Hold::draining; },
       "none draining none"},
      {"one is down", [](auto& pool) { pool.peers["127.0.0.1:8000"].hold = Hold::down; },
       "down none none"},
      {"a weight alone holds nobody", [](auto& pool) { pool.peers["127.0.0.1:8000"].weight = 2; },
       "none none none"},
      {"a name that nobody has", [](auto& pool) { pool.peers["10.0.0.1:80"].hold = Hold::down; },
       "none none none"},
      {"only one", [](auto& pool) { pool.only = "127.0.0.1:8002"; }, "aside aside none"},
      {"only one that is not there", [](auto& pool) { pool.only = "127.0.0.1:9"; },
       "none none none"},
      {"the first one", [](auto& pool) { pool.first = "127.0.0.1:8000"; }, "none waiting waiting"},
      {"a first one that is not there", [](auto& pool) { pool.first = "127.0.0.1:9"; },
       "none none none"},
      {"what is set for a peer itself goes first",
       [](auto& pool) {
         pool.only = "127.0.0.1:8002";
         pool.peers["127.0.0.1:8000"].hold = Hold::draining;
         pool.peers["127.0.0.1:8002"].hold = Hold::down;
       },
       "draining aside down"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    Pool pool("app", Balance::round_robin, test::make_peers(test::specs({1, 1, 1})));
    OperatorState state;
    row.set(state.at("app"));
    state.set_holds(pool, at(0));
    CHECK(holds(pool) == row.holds);
    // Another pool is not concerned, and what is forgotten is taken back.
    OperatorState().set_holds(pool, at(0));
    CHECK(holds(pool) == "none none none");
  }
}

TEST_CASE("a peer of several addresses is meant by its name, one of them by its address") {
  auto specs = test::specs({1, 1, 1});
  specs[0].name = specs[1].name = "app:80";
  Pool pool("app", Balance::round_robin, test::make_peers(specs));
  OperatorState state;
  state.at("app").peers["app:80"].hold = Hold::draining;
  state.set_holds(pool, at(0));
  CHECK(holds(pool) == "draining draining none");
  state.at("app").peers["127.0.0.1:8001"].hold = Hold::down;
  state.set_holds(pool, at(0));
  CHECK(holds(pool) == "draining down none");
  state.at("app").peers.erase("app:80");
  state.set_holds(pool, at(0));
  CHECK(holds(pool) == "none down none");
}

TEST_CASE("a held peer gets no request, whatever the method") {
  for (const auto balance :
       {Balance::round_robin, Balance::ip_hash, Balance::ip_hash_full, Balance::least_conn,
        Balance::random, Balance::random_two, Balance::least_time_header}) {
    CAPTURE(config::to_string(balance));
    Pool pool("app", balance, test::make_peers(test::specs({1, 1, 1})));
    pool.hold(1, Hold::draining, at(0));
    CHECK(picks(pool, 30).find('1') == std::string::npos);
    pool.hold(0, Hold::aside, at(0));
    CHECK(picks(pool, 5) == "22222");
    CHECK(pool.live(at(0)) == 1);
    pool.hold(2, Hold::waiting, at(0));
    CHECK(picks(pool, 2) == "xx");
    for (std::uint32_t i = 0; i < 3; ++i) pool.hold(i, Hold::none, at(0));
    CHECK(picks(pool, 30).find('x') == std::string::npos);
  }
}

TEST_CASE("the only peer of a pool may be held, too") {
  Pool pool("app", Balance::round_robin, test::make_peers(test::specs({1})));
  pool.hold(0, Hold::down, at(0));
  CHECK(picks(pool, 2) == "xx");
  pool.hold(0, Hold::none, at(0));
  CHECK(picks(pool, 2) == "00");
}

TEST_CASE("clients of the others stay where they are while a peer of ip_hash drains") {
  Pool pool("app", Balance::ip_hash, test::make_peers(test::specs({1, 1, 1, 1})));
  const auto choose = [&](const std::string& client) {
    Walk walk;
    walk.reset(*IpAddress::parse(client));
    const auto choice = pool.pick(walk, at(0));
    pool.done(*choice.peer, Outcome::success, at(0));
    return choice.index;
  };
  for (int i = 0; i < 200; ++i) {
    const auto client = "10." + std::to_string(i) + ".7.1";
    pool.hold(2, Hold::none, at(0));
    const auto before = choose(client);
    pool.hold(2, Hold::draining, at(0));
    const auto now = choose(client);
    CHECK(now != 2);
    if (before != 2) CHECK(now == before);
  }
}

TEST_CASE("a weight that is set changes the rotation as a configured one would") {
  config::UpstreamConfig config;
  config.name = "app";
  OperatorState state;
  state.at("app").peers["127.0.0.1:8001"].weight = 5;
  PeerStore by_operator, by_reload;
  auto specs = test::specs({1, 1, 1});
  auto one = by_operator.build(config, specs);
  auto other = by_reload.build(config, specs);
  by_operator.commit(at(0));
  by_reload.commit(at(0));
  CHECK(picks(*one, 4) == picks(*other, 4));
  auto set = specs;
  state.set_weights("app", set);
  CHECK(set[1].weight == 5);
  specs[1].weight = 5;
  one = by_operator.build(config, set);
  other = by_reload.build(config, specs);
  by_operator.commit(at(0));
  by_reload.commit(at(0));
  const auto turns = picks(*one, 14);
  CHECK(turns == picks(*other, 14));
  CHECK(std::count(turns.begin(), turns.end(), '1') == 10);
}

TEST_CASE("what is empty is forgotten") {
  OperatorState state;
  state.at("app").peers["a"].since = 7;
  state.at("other").only = "b";
  state.tidy();
  CHECK(state.find("app") == nullptr);
  CHECK(state.pools().size() == 1);
  state.at("other").only.clear();
  state.tidy();
  CHECK(state.empty());
}

}  // namespace weir::upstream
