#include <doctest/doctest.h>

#include <string>
#include <thread>

#include "upstream/support.h"

namespace weir::upstream {
using test::at;

namespace {

// A pool under a script: requests, failures and time.
struct Bench {
  explicit Bench(const std::vector<PeerSpec>& specs)
      : peers(test::make_peers(specs)), pool("app", config::Balance::round_robin, peers) {}

  // One request with one try; 'x': none is live.
  char request(double time, Outcome outcome = Outcome::success) {
    Walk walk;
    walk.reset(test::client());
    const auto choice = pool.pick(walk, at(time));
    if (choice.peer == nullptr) return 'x';
    pool.done(*choice.peer, outcome, at(time));
    return static_cast<char>('0' + choice.index);
  }
  std::string requests(int count, double time, Outcome outcome = Outcome::success) {
    std::string result;
    for (int i = 0; i < count; ++i) result += request(time, outcome);
    return result;
  }
  // One request whose tries all fail: the peers in order, 'x' when none is left.
  std::string failing_request(double time) {
    std::string result;
    Walk walk;
    walk.reset(test::client());
    for (;;) {
      const auto choice = pool.pick(walk, at(time));
      if (choice.peer == nullptr) return result + 'x';
      result += static_cast<char>('0' + choice.index);
      pool.done(*choice.peer, Outcome::failure, at(time));
    }
  }
  char held(double time = 0) {
    Walk walk;
    walk.reset(test::client());
    const auto choice = pool.pick(walk, at(time));
    return choice.peer == nullptr ? 'x' : static_cast<char>('0' + choice.index);
  }

  test::Peers peers;
  Pool pool;
};

}  // namespace

TEST_CASE("smooth weighted round robin") {
  struct Row {
    const char* name;
    std::vector<std::uint32_t> weights;
    const char* want;
  };
  const Row rows[] = {
      {"equal", {1, 1, 1}, "012012"},
      {"5 1 1", {5, 1, 1}, "00102000010200"},
      {"1 5", {1, 5}, "110111110111"},
      {"2 3", {2, 3}, "1010110101"},
      {"one", {7}, "000"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    Bench bench(test::specs(row.weights));
    CHECK(bench.requests(static_cast<int>(std::string(row.want).size()), 0) == row.want);
  }
}

TEST_CASE("down peers get nothing and are not counted as tries") {
  auto specs = test::specs({1, 1, 1});
  specs[1].down = true;
  Bench bench(specs);
  CHECK(bench.requests(4, 0) == "0202");
  CHECK(bench.pool.max_tries() == 2);
  CHECK(bench.pool.live(at(0)) == 2);

  specs[0].down = specs[2].down = true;
  Bench none(specs);
  CHECK(none.request(0) == 'x');
  CHECK(none.pool.max_tries() == 1);
}

TEST_CASE("a request tries each peer once") {
  Bench bench(test::specs({1, 1, 1}));
  CHECK(bench.failing_request(0) == "012x");
}

TEST_CASE("a failure bans for fail_timeout, then one request probes") {
  Bench bench(test::specs({1, 1}));  // max_fails=1 fail_timeout=10
  CHECK(bench.request(0, Outcome::failure) == '0');
  CHECK(bench.requests(3, 0) == "111");
  CHECK(bench.requests(2, 10.9) == "11");  // nginx: now - checked <= fail_timeout, in whole seconds
  CHECK(bench.pool.live(at(10.9)) == 1);
  CHECK(bench.pool.live(at(11)) == 2);

  SUBCASE("the probe succeeds: back for good") {
    // Of the first two requests one goes to the peer on probation; its success ends the ban.
    CHECK(bench.requests(6, 11).find("010") != std::string::npos);
  }
  SUBCASE("the probe hangs: no second one within fail_timeout") {
    char chosen = bench.held(11);
    for (int i = 0; i < 3 && chosen != '0'; ++i) chosen = bench.held(11);
    REQUIRE(chosen == '0');
    CHECK(bench.requests(5, 11) == "11111");
    CHECK(bench.requests(5, 21) == "11111");
    CHECK(bench.requests(3, 22).find('0') != std::string::npos);
  }
  SUBCASE("the probe fails: banned again from then on") {
    Peer& peer = *bench.peers[0];
    while (bench.held(12) != '0') continue;
    bench.pool.done(peer, Outcome::failure, at(15));
    CHECK(peer.fails == 2);
    CHECK(bench.requests(4, 25) == "1111");
    CHECK(bench.requests(3, 26).find('0') != std::string::npos);
  }
  SUBCASE("neutral tells nothing: still on probation") {
    Peer& peer = *bench.peers[0];
    while (bench.held(12) != '0') continue;
    bench.pool.done(peer, Outcome::neutral, at(12));
    CHECK(peer.fails == 1);
    CHECK(bench.requests(4, 12) == "1111");
  }
}

TEST_CASE("max_fails") {
  auto specs = test::specs({1, 1});
  SUBCASE("3: the third failure bans") {
    specs[0].max_fails = 3;
    Bench bench(specs);
    Peer& peer = *bench.peers[0];
    while (peer.fails < 2) {
      if (bench.held(0) == '0') bench.pool.done(peer, Outcome::failure, at(0));
    }
    CHECK(bench.pool.live(at(0)) == 2);
    while (peer.fails < 3) {
      if (bench.held(0) == '0') bench.pool.done(peer, Outcome::failure, at(0));
    }
    CHECK(bench.pool.live(at(0)) == 1);
  }
  SUBCASE("0: never banned") {
    specs[0].max_fails = specs[1].max_fails = 0;
    Bench bench(specs);
    CHECK(bench.requests(4, 0, Outcome::failure) == "0101");
  }
  SUBCASE("a success in the same second as the failure does not clear it") {
    specs[0].max_fails = 2;
    Bench bench(specs);
    Peer& peer = *bench.peers[0];
    CHECK(bench.request(0, Outcome::failure) == '0');
    while (bench.held(5) != '0') continue;
    bench.pool.done(peer, Outcome::success, at(5));
    CHECK(peer.fails == 1);
    while (bench.held(11) != '0') continue;  // later than fail_timeout: on probation
    bench.pool.done(peer, Outcome::success, at(11));
    CHECK(peer.fails == 0);
  }
}

TEST_CASE("a failure lowers the effective weight, turns give it back") {
  auto specs = test::specs({6, 6});
  for (auto& spec : specs) spec.max_fails = 3;
  Bench bench(specs);
  Peer& peer = *bench.peers[0];
  CHECK(bench.request(0, Outcome::failure) == '0');
  CHECK(peer.effective_weight == 4);  // 6 - 6/3
  CHECK(bench.request(0) == '1');
  CHECK(peer.effective_weight == 5);
  bench.requests(3, 0);
  CHECK(peer.effective_weight == 6);
}

TEST_CASE("a single peer is never banned") {
  Bench bench(test::specs({1}));
  CHECK(bench.requests(3, 0, Outcome::failure) == "000");
  CHECK(bench.peers[0]->fails == 0);
  CHECK(bench.pool.max_tries() == 1);
  Walk walk;
  walk.reset(test::client());
  CHECK(bench.pool.pick(walk, at(0)).reason == Reason::only_peer);
  bench.peers[0]->health = Health::down;
  CHECK(bench.request(0) == 'x');
}

TEST_CASE("one peer beside a down one, or beside a backup, is not single") {
  auto specs = test::specs({1, 1});
  specs[1].down = true;
  Bench bench(specs);
  CHECK(bench.requests(2, 0, Outcome::failure) == "0x");

  specs[1].down = false;
  specs[1].backup = true;
  Bench with_backup(specs);
  CHECK(with_backup.requests(3, 0, Outcome::failure) == "01x");
}

TEST_CASE("backups serve when all primaries are out, and only then") {
  auto specs = test::specs({1, 1, 1, 1});
  specs[0].backup = specs[3].backup = true;
  Bench bench(specs);
  CHECK(bench.pool.max_tries() == 4);
  CHECK(bench.requests(4, 0) == "1212");
  CHECK(bench.failing_request(0) == "1203x");
  CHECK(bench.request(0) == 'x');
  // After fail_timeout the primaries are first again.
  CHECK(bench.requests(3, 11) == "221");

  Bench half(specs);
  half.peers[1]->health = Health::down;
  half.peers[2]->health = Health::down;
  CHECK(half.requests(4, 0) == "0303");
}

TEST_CASE("max_conns") {
  auto specs = test::specs({1, 1});
  specs[0].max_conns = 1;
  specs[1].max_conns = 2;
  Bench bench(specs);
  CHECK(bench.held() == '0');
  CHECK(bench.held() == '1');
  CHECK(bench.held() == '1');
  CHECK(bench.held() == 'x');
  CHECK(bench.pool.live(at(0)) == 0);
  bench.pool.done(*bench.peers[0], Outcome::neutral, at(0));
  CHECK(bench.held() == '0');
  CHECK(bench.peers[0]->conns == 1);
  CHECK(bench.peers[1]->conns == 2);

  auto one = test::specs({1});
  one[0].max_conns = 1;
  Bench single(one);
  CHECK(single.held() == '0');
  CHECK(single.held() == 'x');
}

TEST_CASE("active checks decide beside failures") {
  Bench bench(test::specs({1, 1, 1}));
  bench.peers[0]->health = Health::down;
  bench.peers[1]->health = Health::checking;
  CHECK(bench.requests(2, 0) == "22");
  bench.peers[1]->health = Health::up;
  CHECK(bench.requests(4, 0).find('1') != std::string::npos);
}

TEST_CASE("a peer that active checks saw come back is not banned any more") {
  Bench bench(test::specs({1, 1}));
  CHECK(bench.request(0, Outcome::failure) == '0');
  CHECK(bench.requests(3, 1) == "111");
  bench.peers[0]->recovered = true;
  CHECK(bench.requests(4, 1).find('0') != std::string::npos);
  CHECK(bench.peers[0]->fails == 0);
  CHECK_FALSE(bench.peers[0]->recovered);

  // A failure after the recovery is not forgiven by it.
  bench.peers[0]->recovered = true;
  while (bench.request(2, Outcome::neutral) != '0') continue;
  while (bench.held(2) != '0') continue;
  bench.pool.done(*bench.peers[0], Outcome::failure, at(2));
  CHECK(bench.requests(3, 2) == "111");
}

TEST_CASE("more than 128 peers") {
  Bench bench(test::specs(std::vector<std::uint32_t>(300, 1)));
  Walk walk;
  walk.reset(test::client());
  for (std::uint32_t i = 0; i < 300; ++i) {
    const auto choice = bench.pool.pick(walk, at(0));
    REQUIRE(choice.peer != nullptr);
    CHECK(choice.index == i);
    bench.pool.done(*choice.peer, Outcome::neutral, at(0));
  }
  CHECK(bench.pool.pick(walk, at(0)).peer == nullptr);
  walk.reset(test::client());
  CHECK(bench.pool.pick(walk, at(0)).peer != nullptr);
}

TEST_CASE("no peers") {
  Bench bench({});
  CHECK(bench.request(0) == 'x');
  CHECK(bench.pool.max_tries() == 1);
}

TEST_CASE("numbers of a generation are its own") {
  const auto peers = test::make_peers(test::specs({1, 1}));
  const auto heavier = test::specs({5, 1});
  const auto lock = std::make_shared<SpinLock>();
  const Pool before("app", config::Balance::round_robin, peers, test::specs({1, 1}), lock, {});
  const Pool after("app", config::Balance::round_robin, peers, heavier, lock, {});
  CHECK(before.numbers(0).weight == 1);
  CHECK(after.numbers(0).weight == 5);
}

TEST_CASE("threads: every pick is counted and given back, the order stays exact") {
  Bench bench(test::specs({2, 1}));
  constexpr int kEach = 30000;
  std::atomic<int> firsts{0};
  const auto work = [&] {
    Walk walk;
    for (int i = 0; i < kEach; ++i) {
      walk.reset(test::client());
      const auto choice = bench.pool.pick(walk, at(0));
      if (choice.index == 0) ++firsts;
      bench.pool.done(*choice.peer, Outcome::success, at(0));
    }
  };
  std::thread other(work);
  work();
  other.join();
  CHECK(firsts == 2 * kEach * 2 / 3);
  CHECK(bench.peers[0]->conns == 0);
  CHECK(bench.peers[1]->conns == 0);
}

}  // namespace weir::upstream
