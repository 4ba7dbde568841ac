// Sticky clients, draining, slow start, ejection and the budget of retries, in virtual time.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>

#include "upstream/ejection.h"
#include "upstream/ramp.h"
#include "upstream/sessions.h"
#include "upstream/support.h"

namespace weir::upstream {
using test::at;

namespace {

using Closed = weir::upstream::Closed;

// A pool whose peers bind by "a", "b", "c" ...
struct Bench {
  Bench(config::Balance balance, std::vector<PeerSpec> specs, const Pool::Rules& rules = {}) {
    for (std::size_t i = 0; i < specs.size(); ++i) {
      specs[i].sid = std::string(1, static_cast<char>('a' + i));
    }
    peers = test::make_peers(specs);
    pool =
        std::make_unique<Pool>("app", balance, peers, specs, std::make_shared<SpinLock>(), rules);
  }

  // One request with one try; 'x': none is live.
  char request(const std::string& sid, double time, Outcome outcome = Outcome::success) {
    Walk walk;
    walk.reset(test::client());
    walk.bind(sid);
    choice = pool->pick(walk, at(time));
    if (choice.peer == nullptr) return 'x';
    pool->done(*choice.peer, outcome, at(time));
    return static_cast<char>('a' + choice.index);
  }
  std::string requests(int count, const std::string& sid, double time,
                       Outcome outcome = Outcome::success) {
    std::string result;
    for (int i = 0; i < count; ++i) result += request(sid, time, outcome);
    return result;
  }

  test::Peers peers;
  std::unique_ptr<Pool> pool;
  Pool::Choice choice;
};

std::size_t count(const std::string& in, char what) {
  return static_cast<std::size_t>(std::count(in.begin(), in.end(), what));
}

}  // namespace

TEST_CASE("a bound client gets its peer, whatever the method") {
  using config::Balance;
  for (const Balance balance :
       {Balance::round_robin, Balance::ip_hash, Balance::hash, Balance::hash_consistent,
        Balance::least_conn, Balance::random, Balance::random_two, Balance::least_time_header}) {
    Bench bench(balance, test::specs({1, 1, 1}));
    CAPTURE(to_string(balance));
    for (const char* sid : {"a", "b", "c"}) {
      CHECK(bench.requests(5, sid, 0) == std::string(5, *sid));
      CHECK(bench.choice.reason == Reason::sticky);
      CHECK(bench.choice.skipped == Closed::no);
    }
    CHECK(bench.request("nobody", 0) != 'x');
    CHECK(bench.choice.reason != Reason::sticky);
  }
}

TEST_CASE("bound requests pay for one turn in round robin, and no more") {
  Bench bench(config::Balance::round_robin, test::specs({1, 1, 1}));
  CHECK(bench.requests(10, "a", 0) == "aaaaaaaaaa");
  CHECK(bench.requests(6, "", 0) == "bcabca");
}

TEST_CASE("a peer that may not take its client") {
  struct Row {
    const char* name;
    void (*harm)(std::vector<PeerSpec>&, Bench*);
    Closed skipped;
  };
  const Row rows[] = {
      {"down",
       [](auto& specs, Bench* b) {
         if (b == nullptr) specs[0].down = true;
       },
       Closed::down},
      {"checks failed",
       [](auto&, Bench* b) {
         if (b != nullptr) b->peers[0]->health = Health::down;
       },
       Closed::unhealthy},
      {"not checked yet",
       [](auto&, Bench* b) {
         if (b != nullptr) b->peers[0]->health = Health::checking;
       },
       Closed::checking},
      {"banned",
       [](auto&, Bench* b) {
         if (b != nullptr) b->request("a", 0, Outcome::failure);
       },
       Closed::failed},
      {"full",
       [](auto& specs, Bench* b) {
         if (b == nullptr) specs[0].max_conns = 1;
         if (b != nullptr) b->peers[0]->conns = 1;
       },
       Closed::max_conns},
  };
  for (const Row& row : rows) {
    auto specs = test::specs({1, 1, 1});
    row.harm(specs, nullptr);
    Bench bench(config::Balance::round_robin, specs);
    row.harm(specs, &bench);
    CAPTURE(row.name);
    CHECK(bench.request("a", 1) == 'b');
    CHECK(bench.choice.reason == Reason::round_robin);
    CHECK(bench.choice.skipped == row.skipped);
  }
}

TEST_CASE("a draining peer serves those who are bound to it only") {
  for (const auto balance : {config::Balance::round_robin, config::Balance::ip_hash}) {
    auto specs = test::specs({1, 1});
    specs[0].drain = true;
    Bench bench(balance, specs);
    CHECK(bench.requests(4, "", 0) == "bbbb");
    CHECK(bench.requests(4, "a", 0) == "aaaa");
    CHECK(bench.pool->max_tries() == 1);
  }
  auto specs = test::specs({1});
  specs[0].drain = true;
  Bench single(config::Balance::round_robin, specs);
  CHECK(single.request("", 0) == 'x');
  CHECK(single.request("a", 0) == 'a');
}

TEST_CASE("why the hash's own peer was passed over") {
  Bench bench(config::Balance::ip_hash, test::specs({1, 1, 1}));
  const char own = bench.request("", 0);
  CHECK(bench.choice.skipped == Closed::no);
  bench.peers[static_cast<std::size_t>(own - 'a')]->health = Health::down;
  CHECK(bench.request("", 0) != own);
  CHECK(bench.choice.skipped == Closed::unhealthy);
  CHECK(bench.choice.reason == Reason::hash);
}

TEST_CASE("a vanished peer keeps its place, and moves no client of the others") {
  for (const auto balance : {config::Balance::ip_hash, config::Balance::hash}) {
    auto specs = test::specs({1, 1, 1});
    Bench before(balance, specs);
    specs[1].vanished = true;
    Bench after(balance, specs);
    CHECK(after.pool->max_tries() == 2);
    for (int i = 0; i < 200; ++i) {
      const auto pick = [i](Bench& bench) {
        Walk walk;
        walk.reset(*IpAddress::parse("10.0." + std::to_string(i) + ".1"));
        if (bench.pool->balance() == config::Balance::hash) {
          walk.begin_key() = std::to_string(i);
        }
        const auto choice = bench.pool->pick(walk, at(0));
        bench.pool->done(*choice.peer, Outcome::success, at(0));
        return choice.index;
      };
      const auto old = pick(before);
      const auto now = pick(after);
      CHECK(now != 1);
      if (old != 1) CHECK(now == old);
    }
  }
}

TEST_CASE("a vanished peer beside a single one makes it no less single") {
  auto specs = test::specs({1, 1});
  specs[0].vanished = true;
  Bench bench(config::Balance::round_robin, specs);
  for (int i = 0; i < 5; ++i) CHECK(bench.request("", 0, Outcome::failure) == 'b');
  CHECK(bench.choice.reason == Reason::only_peer);
  CHECK(bench.pool->numbers(0).vanished);
  CHECK(bench.pool->live(at(0)) == 1);
}

TEST_CASE("a hash with bounded load: nobody gets more than its share allows") {
  for (const auto balance : {config::Balance::hash, config::Balance::hash_consistent}) {
    Pool::Rules rules;
    rules.load_bound = 125;
    Bench bench(balance, test::specs({1, 1, 2}), rules);
    std::array<int, 3> held{};
    for (int i = 0; i < 400; ++i) {
      Walk walk;
      walk.reset(test::client());
      walk.begin_key() = "the same";
      const auto choice = bench.pool->pick(walk, at(0));
      REQUIRE(choice.peer != nullptr);
      ++held[choice.index];
      // Of i + 1 in progress a peer has at most its share and a quarter of it, and one.
      const double weight = choice.index == 2 ? 2 : 1;
      CHECK(held[choice.index] <= 1.25 * (i + 1) * weight / 4 + 1);
    }
    CHECK(held[0] + held[1] + held[2] == 400);
    CHECK(std::min({held[0], held[1], held[2]}) > 0);
  }
}

// ---- slow start ----

TEST_CASE("a ramp") {
  Ramp ramp;
  CHECK(ramp.share(at(0)) == 1000);
  ramp.begin(at(0), Duration{10'000});
  CHECK(ramp.share(at(0)) == 100);
  CHECK(ramp.share(at(0.5)) == 100);
  CHECK(ramp.share(at(5)) == 500);
  int admitted = 0;
  for (int i = 0; i < 100; ++i) admitted += ramp.admits(at(5)) ? 1 : 0;
  CHECK(admitted == 50);
  CHECK(ramp.share(at(10)) == 1000);
  CHECK(!ramp.runs());
  ramp.begin(at(0), Duration{0});
  CHECK(!ramp.runs());
}

TEST_CASE("a peer that came back gets its share little by little") {
  auto specs = test::specs({1, 1, 1});
  specs[0].slow_start = std::chrono::seconds{10};
  Bench bench(config::Balance::round_robin, specs);
  CHECK(count(bench.requests(300, "", 0), 'a') == 100);
  bench.peers[0]->recovered = true;
  const double shares[][2] = {{0.5, 0.1}, {2, 0.2}, {5, 0.5}, {8, 0.8}, {10, 1}, {60, 1}};
  for (const auto& [time, share] : shares) {
    const double wanted = 300 * share / (2 + share);
    const auto got = bench.requests(300, "", time);
    CAPTURE(time);
    CHECK(std::abs(static_cast<double>(count(got, 'a')) - wanted) <= 2);
    CHECK(std::abs(static_cast<double>(count(got, 'b')) - (300 - wanted) / 2) <= 2);
  }
}

TEST_CASE("slow start after a ban that a request ended") {
  auto specs = test::specs({1, 1});
  specs[0].slow_start = std::chrono::seconds{10};
  Bench bench(config::Balance::round_robin, specs);
  CHECK(bench.request("a", 0, Outcome::failure) == 'a');
  CHECK(count(bench.requests(10, "", 5), 'a') == 0);
  CHECK(bench.request("a", 11) == 'a');
  const auto got = count(bench.requests(120, "", 13), 'a');  // 0.2 of 1.2, but for where it stood
  CHECK(got >= 19);
  CHECK(got <= 21);
}

TEST_CASE("slow start counts in the loads that least_conn compares") {
  auto specs = test::specs({1, 1});
  specs[0].slow_start = std::chrono::seconds{10};
  Bench bench(config::Balance::least_conn, specs);
  bench.peers[0]->recovered = true;
  bench.peers[0]->conns = 1;
  bench.peers[1]->conns = 3;
  CHECK(bench.request("", 2) == 'b');
  CHECK(bench.request("", 6) == 'a');
}

TEST_CASE("when all are starting each gets what it would") {
  auto specs = test::specs({1, 1});
  for (auto& spec : specs) spec.slow_start = std::chrono::seconds{10};
  Bench bench(config::Balance::round_robin, specs);
  for (const auto& peer : bench.peers) peer->recovered = true;
  CHECK(count(bench.requests(100, "", 1), 'a') == 50);
}

// ---- ejection ----

TEST_CASE("failures in a row take a peer out, for longer each time") {
  Pool::Rules rules;
  rules.eject = {.on = true};
  auto specs = test::specs({1, 1});
  for (auto& spec : specs) spec.max_fails = 0;
  Bench bench(config::Balance::round_robin, specs, rules);
  double now = 0;
  double out = 5;
  for (int round = 0; round < 8; ++round) {
    CAPTURE(round);
    for (int i = 0; i < 4; ++i) CHECK(bench.request("a", now, Outcome::failure) == 'a');
    CHECK(count(bench.requests(10, "", now), 'a') == 5);
    for (int i = 0; i < 5; ++i) bench.request("a", now, Outcome::failure);
    CHECK(count(bench.requests(10, "", now), 'a') == 0);
    CHECK(count(bench.requests(10, "", now + out - 0.1), 'a') == 0);
    now += out + 1;
    out = std::min(out * 2, 300.0);
  }
  CHECK(bench.peers[0]->ejections == 8);
  // Long without failure: it begins anew.
  now += 400;
  for (int i = 0; i < 5; ++i) bench.request("a", now, Outcome::failure);
  CHECK(count(bench.requests(10, "", now + 6), 'a') == 5);
}

TEST_CASE("a rate of failures takes a peer out") {
  struct Row {
    const char* outcomes;  // repeated
    bool out;
  };
  for (const Row row : {Row{"fs", true}, Row{"fss", false}, Row{"ffs", true}, Row{"sss", false}}) {
    Pool::Rules rules;
    rules.eject = {.on = true, .in_row = 1000};
    auto specs = test::specs({1, 1});
    for (auto& spec : specs) spec.max_fails = 0;
    Bench bench(config::Balance::round_robin, specs, rules);
    const std::string pattern = row.outcomes;
    CAPTURE(pattern);
    for (std::size_t i = 0; i < 60; ++i) {
      const bool fails = pattern[i % pattern.size()] == 'f';
      bench.request("a", static_cast<double>(i) * 0.1, fails ? Outcome::failure : Outcome::success);
    }
    CHECK((bench.peers[0]->ejections > 0) == row.out);
  }
}

TEST_CASE("slow start after an ejection, which the failure that brings it tells of") {
  Pool::Rules rules;
  rules.eject = {.on = true};
  auto specs = test::specs({1, 1});
  for (auto& spec : specs) spec.max_fails = 0;
  specs[0].slow_start = std::chrono::seconds{10};
  Bench bench(config::Balance::round_robin, specs, rules);
  const auto fail = [&] {
    bench.peers[0]->conns = 1;
    return bench.pool->done(*bench.peers[0], Outcome::failure, at(0));
  };
  for (int i = 0; i < 4; ++i) CHECK(fail() == Duration{0});
  CHECK(fail() == Duration{5000});
  CHECK(bench.pool->account(0, at(2)).ejected_for == Duration{3000});
  CHECK(count(bench.requests(10, "", 4.9), 'a') == 0);
  const auto got = count(bench.requests(120, "", 7), 'a');  // 0.2 of 1.2
  CHECK(got >= 19);
  CHECK(got <= 21);
  CHECK(count(bench.requests(100, "", 16), 'a') == 50);
}

TEST_CASE("what is older than the window does not count") {
  Ejection account;
  const config::EjectConfig rules{.on = true, .in_row = 1000};
  for (int i = 0; i < 19; ++i) CHECK(!account.count(true, rules, at(0)));
  CHECK(!account.count(true, rules, at(10)));
  for (int i = 0; i < 18; ++i) CHECK(!account.count(true, rules, at(10)));
  CHECK(account.count(true, rules, at(10)));
}

TEST_CASE("the last peers stay, and checks forgive") {
  Pool::Rules rules;
  rules.eject = {.on = true};
  auto specs = test::specs({1, 1});
  for (auto& spec : specs) spec.max_fails = 0;
  Bench bench(config::Balance::round_robin, specs, rules);
  for (int i = 0; i < 5; ++i) bench.request("a", 0, Outcome::failure);
  CHECK(bench.requests(4, "", 0) == "bbbb");
  for (int i = 0; i < 20; ++i) bench.request("b", 0, Outcome::failure);
  CHECK(bench.requests(4, "", 0) == "bbbb");
  CHECK(bench.pool->account(0, at(0)).ejected);
  bench.peers[0]->recovered = true;
  CHECK(count(bench.requests(4, "", 0), 'a') == 2);
  CHECK(!bench.pool->account(0, at(0)).ejected);
}

// ---- retries, and nobody left ----

TEST_CASE("the budget of retries follows what is in progress") {
  Pool::Rules rules;
  rules.retry_budget = 20;
  rules.retry_least = 3;
  Bench bench(config::Balance::round_robin, test::specs({1, 1}), rules);
  const auto granted = [&] {
    int taken = 0;
    while (taken < 1000 && bench.pool->begin_retry()) ++taken;
    for (int i = 0; i < taken; ++i) bench.pool->end_retry();
    return taken;
  };
  CHECK(granted() == 3);
  bench.peers[0]->conns = 40;
  bench.peers[1]->conns = 60;
  CHECK(granted() == 20);
  bench.peers[1]->tunnels = 50;  // idle WebSockets ask for nothing
  CHECK(granted() == 10);
  bench.peers[1]->tunnels = 0;
  Bench unlimited(config::Balance::round_robin, test::specs({1, 1}));
  CHECK(granted() == 20);
  for (int i = 0; i < 100; ++i) CHECK(unlimited.pool->begin_retry());
}

TEST_CASE("picking anyway: the least loaded that no operator has taken out") {
  auto specs = test::specs({1, 1, 1, 1});
  specs[0].down = true;
  specs[3].backup = true;
  Bench bench(config::Balance::round_robin, specs);
  for (const auto& peer : bench.peers) peer->health = Health::down;
  bench.peers[1]->conns = 2;
  Walk walk;
  walk.reset(test::client());
  CHECK(bench.pool->pick(walk, at(0)).peer == nullptr);
  std::string order;
  for (;;) {
    const auto choice = bench.pool->pick_anyway(walk);
    if (choice.peer == nullptr) break;
    CHECK(choice.reason == Reason::fail_open);
    order += static_cast<char>('a' + choice.index);
  }
  CHECK(order == "cbd");
}

// ---- sessions ----

TEST_CASE("sessions are remembered, used, moved and forgotten") {
  Sessions sessions(32 * 1024, {1, 2}, {3, 4});
  const Duration timeout{60'000};
  std::string sid;
  CHECK(!sessions.find("s", timeout, at(0), sid));
  sessions.learn("s", "a", false, timeout, at(0));
  CHECK(!sessions.find("s", timeout, at(0), sid));
  sessions.learn("s", "a", true, timeout, at(0));
  CHECK(sessions.find("s", timeout, at(60), sid));
  CHECK(sid == "a");
  sessions.learn("s", "b", false, timeout, at(60));
  CHECK(sessions.find("s", timeout, at(120), sid));
  CHECK(sid == "b");
  CHECK(!sessions.find("s", timeout, at(121), sid));
}

TEST_CASE("full: the session that was not used for the longest time goes") {
  Sessions sessions(32 * 1024, {1, 2}, {3, 4});
  const Duration timeout{3600'000};
  for (int i = 0; i < 256; ++i) sessions.learn(std::to_string(i), "a", true, timeout, at(i));
  CHECK(sessions.size() == 256);
  sessions.learn("0", "a", true, timeout, at(300));
  sessions.learn("new", "a", true, timeout, at(301));
  CHECK(sessions.size() == 256);
  std::string sid;
  CHECK(sessions.find("0", timeout, at(301), sid));
  CHECK(!sessions.find("1", timeout, at(301), sid));
  CHECK(sessions.find("new", timeout, at(301), sid));
}

}  // namespace weir::upstream
