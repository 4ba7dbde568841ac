// The methods that look at what the peers are busy with: least_conn, random, least_time.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "upstream/support.h"

namespace weir::upstream {
using config::Balance;
using test::at;

namespace {

struct Bench {
  Bench(Balance balance, const std::vector<PeerSpec>& specs)
      : peers(test::make_peers(specs)), pool("app", balance, peers) {}

  Pool::Choice pick(double time = 0) {
    walk.reset(test::client());
    walk.seed(++seed);
    return pool.pick(walk, at(time));
  }
  // A request that stays in progress; 'x': none is live.
  char held(double time = 0) {
    const auto choice = pick(time);
    return choice.peer == nullptr ? 'x' : static_cast<char>('0' + choice.index);
  }
  std::string holding(int count, double time = 0) {
    std::string result;
    for (int i = 0; i < count; ++i) result += held(time);
    return result;
  }
  void end(std::size_t index, Outcome outcome = Outcome::success, double time = 0) {
    pool.done(*peers[index], outcome, at(time));
  }
  // Requests one after the other.
  std::string requests(int count, double time = 0, Outcome outcome = Outcome::success) {
    std::string result;
    for (int i = 0; i < count; ++i) {
      result += held(time);
      if (result.back() != 'x') end(static_cast<std::size_t>(result.back() - '0'), outcome, time);
    }
    return result;
  }
  // One request whose tries all fail.
  std::string failing_request(double time = 0) {
    std::string result;
    walk.reset(test::client());
    for (;;) {
      const auto choice = pool.pick(walk, at(time));
      if (choice.peer == nullptr) return result + 'x';
      result += static_cast<char>('0' + choice.index);
      pool.done(*choice.peer, Outcome::failure, at(time));
    }
  }
  // A request that the peer of the pool's choice answers: its head after `header`, all of it after
  // `response` milliseconds.
  char answered(double time, std::int64_t header, std::int64_t response, bool counts = true) {
    const auto choice = pick(time);
    pool.head_came(walk, *choice.peer, Duration{header});
    pool.took(walk, *choice.peer, {Duration{header}, Duration{response}, counts});
    pool.done(*choice.peer, Outcome::success, at(time));
    return static_cast<char>('0' + choice.index);
  }

  test::Peers peers;
  Pool pool;
  Walk walk;
  std::uint64_t seed = 0;
};

std::uint64_t text_sum(const std::string& text, char c) {
  return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), c));
}

}  // namespace

// ---- least_conn --------------------------------------------------------------------------------

TEST_CASE("least_conn: the fewest connections for the weight, round robin among equals") {
  struct Row {
    const char* name;
    std::vector<std::uint32_t> weights;
    const char* want;  // of requests that all stay
  };
  const Row rows[] = {
      {"equal", {1, 1, 1}, "012210012"},
      // Nobody has one: in turn, by weight. Then 0/1 and 0/1 are below 1/5. Then 1/5 is below 1/1,
      // until 5/5 is not.
      {"5 1 1", {5, 1, 1}, "01200000"},
      {"1 3", {1, 3}, "10110111"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    Bench bench(Balance::least_conn, test::specs(row.weights));
    CHECK(bench.holding(static_cast<int>(std::string(row.want).size())) == row.want);
  }
}

TEST_CASE("least_conn: requests that end at once are balanced by round robin") {
  Bench bench(Balance::least_conn, test::specs({5, 1, 1}));
  CHECK(bench.requests(14) == "00102000010200");
  CHECK(bench.pick().reason == Reason::least_conn);
}

TEST_CASE("least_conn: a choice without equals does not touch the turns") {
  Bench bench(Balance::least_conn, test::specs({1, 1}));
  CHECK(bench.held() == '0');
  const auto weight = bench.peers[1]->current_weight;
  CHECK(bench.held() == '1');  // 0 against 1
  CHECK(bench.peers[1]->current_weight == weight);
  bench.end(1);
  CHECK(bench.holding(2) == "11");  // the second by its turn: they are equal then
}

TEST_CASE("least_conn: who is out is not looked at") {
  auto specs = test::specs({1, 1, 1});
  SUBCASE("down") {
    specs[0].down = true;
    CHECK(Bench(Balance::least_conn, specs).holding(4) == "1221");
  }
  SUBCASE("max_conns") {
    specs[0].max_conns = 1;
    specs[1].max_conns = 2;
    Bench bench(Balance::least_conn, specs);
    CHECK(bench.holding(6) == "012212");
    bench.end(0);
    CHECK(bench.held() == '0');
  }
  SUBCASE("health") {
    Bench bench(Balance::least_conn, specs);
    bench.peers[0]->health = Health::down;
    bench.peers[1]->health = Health::checking;
    CHECK(bench.holding(3) == "222");
  }
  SUBCASE("banned, and the probe") {
    Bench bench(Balance::least_conn, specs);
    CHECK(bench.requests(1, 0, Outcome::failure) == "0");
    CHECK(text_sum(bench.requests(6, 10), '0') == 0);
    const auto later = bench.holding(3, 11);
    CHECK(text_sum(later, '0') == 1);
    CHECK(text_sum(bench.holding(6, 11), '0') == 0);  // one probe at a time
  }
}

TEST_CASE("least_conn: each peer once a request, then the backups in the same way") {
  auto specs = test::specs({1, 1, 1, 1});
  specs[2].backup = specs[3].backup = true;
  for (auto& spec : specs) spec.max_fails = 0;
  Bench bench(Balance::least_conn, specs);
  bench.peers[2]->conns = 1;
  CHECK(bench.failing_request() == "0132x");
  bench.peers[0]->health = bench.peers[1]->health = Health::down;
  const auto choice = bench.pick();
  CHECK(choice.index == 3);
  CHECK(choice.reason == Reason::backup);
}

TEST_CASE("least_conn: a single peer") {
  Bench bench(Balance::least_conn, test::specs({1}));
  CHECK(bench.requests(3, 0, Outcome::failure) == "000");
  CHECK(bench.pick().reason == Reason::only_peer);
}

// ---- random ------------------------------------------------------------------------------------

TEST_CASE("random: shares follow the weights") {
  Bench bench(Balance::random, test::specs({1, 2, 5}));
  std::map<std::uint32_t, int> counts;
  for (int i = 0; i < 8000; ++i) {
    const auto choice = bench.pick();
    CHECK(choice.reason == Reason::random);
    ++counts[choice.index];
    bench.end(choice.index);
  }
  CHECK(std::abs(counts[0] - 1000) < 120);
  CHECK(std::abs(counts[1] - 2000) < 160);
  CHECK(std::abs(counts[2] - 5000) < 180);
}

TEST_CASE("random: the same seed, the same draws") {
  for (const auto balance : {Balance::random, Balance::random_two}) {
    Bench a(balance, test::specs({1, 1, 1, 1})), b(balance, test::specs({1, 1, 1, 1}));
    CHECK(a.requests(50) == b.requests(50));
    CHECK(Bench(balance, test::specs({1, 1, 1, 1})).requests(50).find_first_not_of('0') <= 50);
  }
}

TEST_CASE("random: tries go to different peers, down ones get none") {
  for (const auto balance : {Balance::random, Balance::random_two}) {
    CAPTURE(config::to_string(balance));
    auto specs = test::specs({1, 1, 1, 1});
    specs[3].down = true;
    for (int i = 0; i < 50; ++i) {
      Bench bench(balance, specs);
      bench.walk.seed(static_cast<std::uint64_t>(i));
      const auto path = bench.failing_request();
      CHECK(std::set<char>(path.begin(), path.end()) == std::set<char>{'0', '1', '2', 'x'});
      CHECK(path.size() == 4);
    }
  }
}

TEST_CASE("random: more than 20 misses fall back to round robin") {
  for (const auto balance : {Balance::random, Balance::random_two}) {
    CAPTURE(config::to_string(balance));
    auto specs = test::specs({60000, 1, 1});
    specs[0].down = true;
    Bench bench(balance, specs);
    CHECK(bench.pick().reason == Reason::round_robin);
    CHECK(bench.requests(4) == "2121");
  }
}

TEST_CASE("random: groups of one") {
  for (const auto balance : {Balance::random, Balance::random_two}) {
    Bench single(balance, test::specs({1}));
    CHECK(single.pick().reason == Reason::only_peer);
    auto specs = test::specs({1, 1});
    specs[1].backup = true;
    Bench backed(balance, specs);
    CHECK(backed.failing_request() == "01x");
    Bench none(balance, {});
    CHECK(none.held() == 'x');
  }
}

TEST_CASE("random two: of two the less loaded for its weight") {
  Bench bench(Balance::random_two, test::specs({1, 1}));
  bench.peers[0]->conns = 5;
  for (int i = 0; i < 100; ++i) {
    const auto choice = bench.pick();
    CHECK(choice.index == 1);
    bench.end(1);
  }
  // With 2 of 4 and 3 of 8 the second is less loaded.
  Bench weighted(Balance::random_two, test::specs({4, 8}));
  weighted.peers[0]->conns = 2;
  weighted.peers[1]->conns = 3;
  const auto chosen = weighted.requests(200);
  CHECK(text_sum(chosen, '1') > 195);  // but for a request whose draws miss the first 20 times
}

TEST_CASE("random two least_time: of two the sooner one, by what their answers took") {
  for (const bool header : {true, false}) {
    CAPTURE(header);
    Bench bench(header ? Balance::random_two_header : Balance::random_two_last_byte,
                test::specs({1, 1}));
    // What has had no request for long would look better than its times say.
    for (const auto& peer : bench.peers)
      peer->checked = at(0).time_since_epoch() / std::chrono::seconds{1};
    bench.peers[0]->header_time = header ? 900 : 100;
    bench.peers[0]->response_time = header ? 100 : 900;
    bench.peers[1]->header_time = bench.peers[1]->response_time = 300;
    std::string chosen = bench.requests(100);
    CHECK(text_sum(chosen, '1') > 95);  // but for a request whose draws miss the first 20 times
    // Its times are taken, as with least_time.
    Walk walk;
    bench.pool.took(walk, *bench.peers[1], {Duration{2300}, Duration{2300}, true});
    CHECK(bench.peers[1]->header_time == 400);
    CHECK(bench.peers[1]->response_time == 400);
  }
}

TEST_CASE("random two: loads stay closer together than with random") {
  const auto spread = [](Balance balance) {
    Bench bench(balance, test::specs(std::vector<std::uint32_t>(10, 1)));
    bench.holding(1000);
    std::uint32_t least = 1000, most = 0;
    for (const auto& peer : bench.peers) {
      least = std::min(least, peer->conns.load());
      most = std::max(most, peer->conns.load());
    }
    return most - least;
  };
  CHECK(spread(Balance::random_two) <= 6);
  CHECK(spread(Balance::random) > 12);
}

// ---- least_time --------------------------------------------------------------------------------

TEST_CASE("least_time: without times the peers take turns") {
  Bench bench(Balance::least_time_last_byte, test::specs({1, 1, 1}));
  CHECK(bench.requests(6) == "012012");
  CHECK(bench.pick().reason == Reason::least_time);
}

TEST_CASE("least_time: the faster peer gets the requests, by steps of 20 ms") {
  Bench bench(Balance::least_time_last_byte, test::specs({1, 1}));
  CHECK(bench.answered(0, 1, 100) == '0');
  CHECK(bench.answered(0, 1, 10) == '1');
  for (int i = 0; i < 5; ++i) CHECK(bench.answered(0, 1, 10) == '1');
  bench.peers[0]->response_time = 19;
  CHECK(text_sum(bench.requests(6), '0') == 3);
  bench.peers[0]->response_time = 20;
  CHECK(bench.requests(3) == "111");
}

TEST_CASE("least_time: what counts is time and requests in progress, for the weight") {
  auto specs = test::specs({1, 3});
  Bench bench(Balance::least_time_last_byte, specs);
  bench.peers[0]->checked = bench.peers[1]->checked = at(0).time_since_epoch().count() / 1000;
  bench.peers[0]->response_time = 30;   // 40
  bench.peers[1]->response_time = 100;  // 120, a third of it is 40
  CHECK(text_sum(bench.requests(8), '1') == 6);
  bench.peers[1]->response_time = 99;  // 100
  // 40 against 33; 40 against 66; 80 against 66; 80 against 100.
  CHECK(bench.holding(4) == "1010");
}

TEST_CASE("least_time: times above 5 s are the same") {
  Bench bench(Balance::least_time_header, test::specs({1, 1}));
  for (const auto& peer : bench.peers) peer->checked = at(0).time_since_epoch().count() / 1000;
  bench.peers[0]->header_time = 5001;
  bench.peers[1]->header_time = 90000;
  CHECK(text_sum(bench.requests(6), '0') == 3);
  bench.peers[0]->header_time = 5000;  // nginx: the last step ends above the limit
  CHECK(bench.requests(3) == "111");
}

TEST_CASE("least_time: the averages") {
  Bench bench(Balance::least_time_last_byte, test::specs({1, 1}));
  bench.peers[1]->health = Health::down;
  Peer& peer = *bench.peers[0];
  CHECK(bench.answered(0, 10, 100) == '0');
  CHECK(peer.header_time == 10);
  CHECK(peer.response_time == 100);
  bench.answered(0, 30, 300);
  CHECK(peer.header_time == 11);
  CHECK(peer.response_time == 110);
  bench.answered(0, 900, 900, false);  // given up for another peer, or failed
  bench.answered(0, -1, 900);          // no answer
  CHECK(peer.header_time == 11);
  CHECK(peer.response_time == 110);
}

TEST_CASE("least_time: header and last_byte") {
  for (const auto balance : {Balance::least_time_header, Balance::least_time_last_byte}) {
    CAPTURE(config::to_string(balance));
    Bench bench(balance, test::specs({1, 1}));
    bench.answered(0, 10, 500);
    bench.answered(0, 100, 100);
    CHECK(bench.requests(3) == (balance == Balance::least_time_header ? "000" : "111"));
  }
}

TEST_CASE("least_time: a slow peer is tried again: its time halves with each fail_timeout") {
  Bench bench(Balance::least_time_last_byte, test::specs({1, 1}));  // fail_timeout=10
  bench.answered(0, 1, 150);                                        // 160
  bench.answered(0, 1, 30);                                         // 40
  CHECK(bench.requests(2, 10) == "11");
  // The other has been chosen at 11, so only the slow one's time has passed: a half, 75.
  CHECK(bench.requests(2, 11) == "11");
  CHECK(bench.requests(2, 21) == "11");
  CHECK(bench.requests(2, 22) == "11");  // 37, of the same step as 30: in turn
  CHECK(bench.requests(4, 33).find('0') != std::string::npos);
  // Once chosen, it is slow again.
  CHECK(bench.requests(3, 33) == "111");
}

TEST_CASE("least_time inflight: requests that hang make a peer slow at once") {
  for (const auto balance :
       {Balance::least_time_last_byte_inflight, Balance::least_time_header_inflight}) {
    CAPTURE(config::to_string(balance));
    Bench bench(balance, test::specs({1, 1}));
    bench.answered(0, 10, 10);
    bench.answered(0, 10, 10);
    Walk hanging;
    hanging.reset(test::client());
    const auto choice = bench.pool.pick(hanging, at(0));
    REQUIRE(choice.index == 0);
    CHECK(choice.peer->inflight == 1);
    // More connections make it worse, whatever they last: so the other's number is made equal.
    bench.peers[1]->conns = 1;
    bench.held(2);
    CHECK(bench.peers[0]->inflight_time == 2000);
    bench.held(3);
    CHECK(bench.peers[0]->inflight_time == 2050);  // 0.5 + 3000 * 0.05 + 2000 * 0.95
    bench.pool.took(hanging, *choice.peer, {Duration{-1}, Duration{3000}, false});
    bench.pool.done(*choice.peer, Outcome::failure, at(3));
    CHECK(bench.peers[0]->inflight == 0);
    CHECK(bench.peers[0]->inflight_starts == 0);
    CHECK(bench.peers[0]->response_time == 10);
  }
}

TEST_CASE("least_time header inflight: with its head a request is no more in progress") {
  Bench bench(Balance::least_time_header_inflight, test::specs({1, 1}));
  const auto choice = bench.pick();
  Peer& peer = *choice.peer;
  CHECK(peer.inflight == 1);
  bench.pool.head_came(bench.walk, peer, Duration{40});
  CHECK(peer.inflight == 0);
  CHECK(peer.header_time == 40);
  bench.pool.took(bench.walk, peer, {Duration{40}, Duration{90}, true});
  bench.pool.done(peer, Outcome::success, at(0));
  CHECK(peer.inflight == 0);
  CHECK(peer.header_time == 40);
  CHECK(peer.response_time == 90);

  Bench whole(Balance::least_time_last_byte_inflight, test::specs({1, 1}));
  const auto other = whole.pick();
  whole.pool.head_came(whole.walk, *other.peer, Duration{40});
  CHECK(other.peer->inflight == 1);
  CHECK(other.peer->header_time == 0);
}

TEST_CASE("least_time: backups, and a single peer") {
  auto specs = test::specs({1, 1, 1});
  specs[1].backup = specs[2].backup = true;
  Bench bench(Balance::least_time_last_byte, specs);
  bench.peers[1]->response_time = 100;
  bench.peers[1]->checked = at(0).time_since_epoch().count() / 1000;
  CHECK(bench.failing_request() == "021x");

  Bench single(Balance::least_time_last_byte_inflight, test::specs({1}));
  CHECK(single.answered(0, 1, 2) == '0');
  CHECK(single.peers[0]->response_time == 0);
  CHECK(single.peers[0]->inflight == 0);
}

// ---- ip_hash full ------------------------------------------------------------------------------

TEST_CASE("ip_hash full: each byte of an IPv4 address counts") {
  Pool pool("app", Balance::ip_hash_full,
            test::make_peers(test::specs(std::vector<std::uint32_t>(128, 1))));
  const auto index = [&pool](const char* client) {
    Walk walk;
    walk.reset(test::client(client));
    const auto choice = pool.pick(walk, at(0));
    CHECK(choice.reason == Reason::hash);
    pool.done(*choice.peer, Outcome::success, at(0));
    return choice.index;
  };
  CHECK(index("10.1.2.3") != index("10.1.2.250"));
  CHECK(index("10.1.2.3") == index("10.1.2.3"));
  // By hand: 89 -> four rounds of hash * 113 mod 6271, with 10, 1, 2, 3.
  std::uint32_t hash = 89;
  for (const std::uint32_t byte : {10u, 1u, 2u, 3u}) hash = (hash * 113 + byte) % 6271;
  CHECK(index("10.1.2.3") == hash % 128);
}

}  // namespace weir::upstream
