#include "upstream/peer_health.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "upstream/support.h"

namespace weir::upstream {
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

config::HealthCheckConfig check_config(std::uint32_t fails, std::uint32_t passes,
                                       bool mandatory = false) {
  config::HealthCheckConfig config;
  config.interval = seconds{5};
  config.fast_interval = seconds{1};
  config.fails = fails;
  config.passes = passes;
  config.mandatory = mandatory;
  return config;
}

config::HealthCheckConfig with_grace(std::uint32_t fails, std::uint32_t passes) {
  auto config = check_config(fails, passes);
  config.grace = seconds{1};
  return config;
}

CheckResult passed() { return {.layer = CheckLayer::ok, .status = 200, .detail = "got 200"}; }
CheckResult refused() { return {.layer = CheckLayer::connect, .detail = "connection refused"}; }

// The health of a peer in virtual time.
struct Bench {
  explicit Bench(const config::HealthCheckConfig& config, HealthMachine::Random random = {})
      : Bench(std::vector{config}, std::move(random)) {}
  explicit Bench(const std::vector<config::HealthCheckConfig>& configs,
                 const HealthMachine::Random& random = {})
      : health(configs, peer, random, clock.now()) {}

  // Waits for the next check and gives it this result.
  std::optional<PeerHealth::Transition> step(const CheckResult& result, std::size_t check = 0) {
    clock.advance(next_check(check) - clock.now());
    return health.on_check(check, result, clock.now());
  }

  [[nodiscard]] TimePoint next_check(std::size_t check = 0) const {
    return health.machines()[check].next_check();
  }

  ManualClock clock;
  Peer peer{test::spec(8000)};
  PeerHealth health;
};

}  // namespace

TEST_CASE("states after rows of results") {
  struct Row {
    const char* name;
    config::HealthCheckConfig config;
    const char* results;  // + passed, - failed
    const char* states;  // after each: unchecked, checking, up, down by their first letter; d: down
  };
  const Row rows[] = {
      {"first pass", check_config(1, 1), "+", "U"},
      {"first failure", check_config(1, 1), "-", "D"},
      {"failure counts toward fails", check_config(2, 1), "--", "uD"},
      {"rise and fall", check_config(2, 3), "+++--+++", "uuUUDDDU"},
      {"a pass in between starts the count again", check_config(2, 1), "+-+-+--", "UUUUUUD"},
      {"a failure in between starts the count again", check_config(1, 2), "-+-++", "DDDDU"},
      {"mandatory: no traffic until it passes", check_config(2, 2, true), "+++", "cUU"},
      {"mandatory, failing", check_config(2, 1, true), "--+", "cDU"},
      {"with a grace it must pass first", with_grace(3, 1), "---+--", "ccDUUU"},
      {"with a grace, passing", with_grace(3, 2), "++-", "cUU"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    Bench bench(row.config);
    std::string states;
    for (const char result : std::string(row.results)) {
      bench.step(result == '+' ? passed() : refused());
      switch (bench.peer.health.load()) {
        case Health::unchecked:
          states += 'u';
          break;
        case Health::checking:
          states += 'c';
          break;
        case Health::up:
          states += 'U';
          break;
        case Health::down:
          states += 'D';
          break;
      }
    }
    CHECK(states == row.states);
  }
}

TEST_CASE("the end of a grace: who has not failed gets requests, unless passing is mandatory") {
  struct Row {
    const char* name;
    config::HealthCheckConfig config;
    const char* results;
    Health before;
    Health after;
  };
  auto mandatory = with_grace(2, 2);
  mandatory.mandatory = true;
  const Row rows[] = {
      {"nothing was heard", with_grace(2, 2), "", Health::checking, Health::unchecked},
      {"it has passed, not often enough", with_grace(2, 2), "+", Health::checking,
       Health::unchecked},
      {"it has failed, not often enough", with_grace(2, 2), "-", Health::checking,
       Health::checking},
      {"up", with_grace(2, 1), "+", Health::up, Health::up},
      {"down", with_grace(2, 1), "--", Health::down, Health::down},
      {"mandatory", mandatory, "", Health::checking, Health::checking},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    Bench bench(row.config);
    for (const char result : std::string(row.results)) {
      bench.step(result == '+' ? passed() : refused());
    }
    CHECK(bench.peer.health == row.before);
    const auto transition = bench.health.end_grace(0, bench.clock.now());
    CHECK(bench.peer.health == row.after);
    CHECK(transition.has_value() == (row.before != row.after));
    if (transition) CHECK(transition->reason == "no verdict within 1000 ms");
    CHECK_FALSE(bench.health.end_grace(0, bench.clock.now()));
    CHECK_FALSE(bench.peer.recovered);
  }
}

TEST_CASE("a transition is told once, with reason and time") {
  Bench bench(check_config(2, 1));
  CHECK(bench.peer.health == Health::unchecked);
  const TimePoint start = bench.clock.now();
  const auto up = bench.step(passed());
  REQUIRE(up);
  CHECK(up->from == Health::unchecked);
  CHECK(up->to == Health::up);
  CHECK(up->reason == "ok: got 200 (1/1)");
  CHECK_FALSE(bench.peer.recovered);
  CHECK_FALSE(bench.step(passed()));
  CHECK_FALSE(bench.step(refused()));
  CHECK(bench.health.since() == start);

  const auto down = bench.step(refused());
  REQUIRE(down);
  CHECK(down->from == Health::up);
  CHECK(down->to == Health::down);
  CHECK(down->reason == "connect: connection refused (2/2)");
  CHECK(bench.health.reason() == down->reason);
  CHECK(bench.health.since() == bench.clock.now());
  CHECK_FALSE(bench.step(refused()));

  REQUIRE(bench.step(passed()));
  CHECK(bench.peer.recovered);  // its passive failures are to be forgotten
  CHECK(bench.health.checks() == 6);
  CHECK(bench.health.failed_checks() == 3);
  CHECK(bench.health.last().status == 200);
}

TEST_CASE("waits: the first at once, short ones while changing, unknown or down") {
  Bench bench(check_config(2, 2));
  CHECK(bench.next_check() == bench.clock.now());
  const auto wait_after = [&bench](const CheckResult& result) {
    bench.step(result);
    return bench.next_check() - bench.clock.now();
  };
  CHECK(wait_after(passed()) == seconds{1});   // unknown still: 1 of 2
  CHECK(wait_after(passed()) == seconds{5});   // up
  CHECK(wait_after(refused()) == seconds{1});  // 1 of 2 failures
  CHECK(wait_after(passed()) == seconds{5});
  CHECK(wait_after(refused()) == seconds{1});
  CHECK(wait_after(refused()) == seconds{1});  // down: watched closely
  CHECK(wait_after(passed()) == seconds{1});
  CHECK(wait_after(passed()) == seconds{5});

  auto config = check_config(1, 1);
  config.interval = milliseconds{200};  // shorter than the fast one
  Bench quick(config);
  quick.step(refused());
  CHECK(quick.next_check() - quick.clock.now() == milliseconds{200});
}

TEST_CASE("jitter comes on top of the wait, below the configured one") {
  auto config = check_config(1, 1);
  config.jitter = seconds{3};
  std::vector<std::uint64_t> asked;
  Bench bench(config, [&asked](std::uint64_t n) {
    asked.push_back(n);
    return n - 1;
  });
  bench.step(passed());
  CHECK(bench.next_check() - bench.clock.now() == milliseconds{7999});
  bench.step(refused());  // down: at most the double of the short wait
  CHECK(bench.next_check() - bench.clock.now() == milliseconds{1999});
  CHECK(asked == std::vector<std::uint64_t>{3000, 1000});
}

TEST_CASE("an hour: a peer that recovers is back within one interval") {
  // The peer is away for the second half of every ten minutes.
  Bench bench(check_config(2, 2));
  const TimePoint start = bench.clock.now();
  const auto is_away = [&](TimePoint t) { return (t - start) % seconds{600} >= seconds{300}; };
  int ups = 0;
  int downs = 0;
  Duration slowest_up{0};
  Duration slowest_down{0};
  while (bench.clock.now() - start < std::chrono::hours{1}) {
    const auto transition = bench.step(is_away(bench.next_check()) ? refused() : passed());
    if (!transition) continue;
    const Duration late = (bench.clock.now() - start) % seconds{300};
    if (transition->to == Health::up) {
      ++ups;
      slowest_up = std::max(slowest_up, late);
    } else {
      ++downs;
      slowest_down = std::max(slowest_down, late);
    }
  }
  CHECK(ups == 6);  // at the start, and five times after being away
  CHECK(downs == 6);
  CHECK(slowest_up <= seconds{5});
  CHECK(slowest_down <= seconds{6});  // one interval, and one short wait for the second failure
}

TEST_CASE("a day of flapping: only what lasts changes the state") {
  struct Row {
    const char* name;
    std::uint32_t fails;
    std::uint32_t passes;
    const char* pattern;  // of the answers, again and again
    int transitions;      // after the first word, a day
    bool ends_up;
  };
  const Row rows[] = {
      {"every second fails", 2, 1, "+-", 0, true},
      {"two of five, in turn", 2, 1, "+-+-+", 0, true},
      {"three in a row are needed", 3, 1, "+--+--", 0, true},
      {"it never comes back for good", 1, 3, "-++-++", 0, false},
      {"each failure counts", 1, 1, "++++-", 2, false},  // transitions a round
      {"slow to fall, slow to rise", 3, 3, "+++---", 2, false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    Bench bench(check_config(row.fails, row.passes));
    const TimePoint start = bench.clock.now();
    const std::string pattern = row.pattern;
    std::size_t checks = 0;
    int transitions = -1;  // the first word is none
    while (bench.clock.now() - start < std::chrono::hours{24} || checks % pattern.size() != 0) {
      const bool good = pattern[checks++ % pattern.size()] == '+';
      if (bench.step(good ? passed() : refused())) ++transitions;
    }
    const int rounds = static_cast<int>(checks / pattern.size());
    CHECK(transitions == (row.transitions == 0 ? 0 : rounds * row.transitions - 1));
    CHECK((bench.peer.health == Health::up) == row.ends_up);
    // Never more often than the short wait, never more rarely than the long one.
    CHECK(checks <= 24 * 3600 + pattern.size());
    CHECK(checks >= 24 * 3600 / 5);
  }
}

TEST_CASE("hours with jitter: each wait in its bounds, all of them used") {
  auto config = check_config(1, 1);
  config.jitter = seconds{2};
  std::mt19937_64 generator(7);
  Bench bench(config, [&generator](std::uint64_t n) { return generator() % n; });
  bench.step(passed());
  Duration sum{0};
  Duration least{1'000'000};
  Duration most{0};
  constexpr int checks = 5000;  // more than 8 hours
  for (int i = 0; i < checks; ++i) {
    const Duration wait = bench.next_check() - bench.clock.now();
    least = std::min(least, wait);
    most = std::max(most, wait);
    sum += wait;
    bench.step(passed());
  }
  CHECK(least >= seconds{5});
  CHECK(least < milliseconds{5010});
  CHECK(most < seconds{7});
  CHECK(most > milliseconds{6990});
  CHECK(std::abs((sum / checks - seconds{6}).count()) < 50);
}

TEST_CASE("failures are counted by what they failed at") {
  Bench bench(check_config(2, 1));
  bench.step(passed());
  for (const auto layer : {CheckLayer::status, CheckLayer::body, CheckLayer::body,
                           CheckLayer::timeout, CheckLayer::header}) {
    bench.step({.layer = layer});
  }
  CHECK(bench.health.failed_checks() == 5);
  CHECK(bench.health.failed_checks(CheckLayer::body) == 2);
  CHECK(bench.health.failed_checks(CheckLayer::timeout) == 1);
  CHECK(bench.health.failed_checks(CheckLayer::connect) == 0);
  CHECK(bench.health.failed_checks(CheckLayer::ok) == 0);
}

TEST_CASE("settings are the same if and only if their texts are") {
  using Test = config::MatchConfig::Test;
  const auto text = [](const auto& change) {
    config::HealthCheckConfig config;
    change(config);
    return settings_text(config);
  };
  const auto test = [](Test::Kind kind, const char* name, const char* what, bool negated = false) {
    return Test{.kind = kind, .negated = negated, .name = name, .text = what};
  };
  using Config = config::HealthCheckConfig;
  const std::vector<std::string> texts = {
      text([](Config&) {}),
      text([](Config& c) { c.uri = "/h"; }),
      text([](Config& c) { c.host = "/h"; }),
      text([](Config& c) { c.keepalive_time = seconds{1}; }),
      text([](Config& c) { c.type = config::CheckType::tcp; }),
      text([](Config& c) { c.grpc_status = 12; }),
      text([](Config& c) { c.grpc_service = "a"; }),
      text([](Config& c) {
        c.match.status = {{200, 200}};
      }),
      text([](Config& c) { c.match.status_negated = true; }),
      text([](Config& c) { c.match.send = "a"; }),
      text([&](Config& c) { c.match.expect = test(Test::Kind::contains, "", "a"); }),
      text([&](Config& c) { c.match.headers = {test(Test::Kind::equals, "a", "b")}; }),
      text([&](Config& c) { c.match.headers = {test(Test::Kind::equals, "a", "b", true)}; }),
      text([&](Config& c) { c.match.headers = {test(Test::Kind::equals, "ab", "")}; }),
      text([&](Config& c) { c.match.headers = {test(Test::Kind::present, "a", "b")}; }),
      text([&](Config& c) { c.match.body = {test(Test::Kind::equals, "a", "b")}; }),
      text([&](Config& c) {
        c.match.body = {test(Test::Kind::equals, "a", "b"), test(Test::Kind::equals, "", "")};
      }),
  };
  for (std::size_t i = 0; i < texts.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) CHECK(texts[i] != texts[k]);
  }
  // What requests do while nothing is known is no part of a check.
  CHECK(text([](Config& c) { c.grace = seconds{9}; }) == texts[0]);
}

// ---- several checks

TEST_CASE("a peer is as well as the worst of its checks finds it") {
  struct Row {
    const char* name;
    config::HealthCheckConfig first;
    config::HealthCheckConfig second;
    const char* results;  // a A: the first one's, failed and passed; b B: the second's
    const char* states;   // of the peer, after each; as above
  };
  const Row rows[] = {
      {"both must pass", check_config(1, 1), check_config(1, 1), "AB", "uU"},
      {"one fails", check_config(1, 1), check_config(1, 1), "ABbB", "uUDU"},
      {"both fail, one after the other", check_config(1, 1), check_config(1, 1), "abAB", "DDDU"},
      {"each has its own counts", check_config(2, 1), check_config(1, 2), "aAabABB", "uuuDDDU"},
      {"one of them mandatory", check_config(1, 1), check_config(1, 1, true), "AB", "cU"},
      {"one of them with a grace", with_grace(1, 1), check_config(1, 1), "BA", "cU"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    Bench bench(std::vector{row.first, row.second});
    std::string states;
    for (const char* result = row.results; *result != '\0'; ++result) {
      const bool good = *result == 'A' || *result == 'B';
      const auto transition =
          bench.step(good ? passed() : refused(), *result == 'b' || *result == 'B' ? 1 : 0);
      const auto health = bench.peer.health.load();
      CHECK(health == bench.health.state());
      if (transition) CHECK(transition->to == health);
      states += health == Health::down ? 'D' : health == Health::up ? 'U' : to_string(health)[0];
    }
    CHECK(states == row.states);
  }
}

TEST_CASE("what is wrong is told of the check that found it") {
  auto health = check_config(1, 1);
  health.uri = "/health";
  auto port = check_config(1, 1);
  port.type = config::CheckType::tcp;
  port.port = 9000;
  Bench bench(std::vector{health, port});
  CHECK(bench.health.name(1) == "tcp at port 9000");
  CHECK_FALSE(bench.step(passed()));
  const auto up = bench.step(passed(), 1);
  REQUIRE(up);
  CHECK(up->reason == "tcp at port 9000: ok: got 200 (1/1)");
  const auto down = bench.step(refused(), 1);
  REQUIRE(down);
  CHECK(down->from == Health::up);
  CHECK(down->reason == "tcp at port 9000: connect: connection refused (1/1)");
  const auto since = bench.health.since();
  CHECK(bench.peer.gone.load());
  // Another bad one changes nothing, nor does it when one of two is good again.
  CHECK_FALSE(bench.step({.layer = CheckLayer::status, .status = 503, .detail = "got 503"}));
  CHECK(bench.health.reason() == "/health: status: got 503 (1/1)");
  CHECK_FALSE(bench.step(passed(), 1));
  CHECK_FALSE(bench.peer.gone.load());
  CHECK(bench.health.reason() == "/health: status: got 503 (1/1)");
  CHECK(bench.health.last().status == 503);
  CHECK(bench.health.since() == since);
  CHECK_FALSE(bench.peer.recovered.load());
  const auto back = bench.step(passed());
  REQUIRE(back);
  CHECK(back->from == Health::down);
  CHECK(bench.peer.recovered.load());
  CHECK(bench.health.transitions(Health::down) == 1);
  CHECK(bench.health.transitions(Health::up) == 2);
  CHECK(bench.health.checks() == 6);
  CHECK(bench.health.failed_checks(CheckLayer::status) == 1);
}

TEST_CASE("the grace ends when no check has said anything bad") {
  Bench bench(std::vector{with_grace(1, 1), with_grace(1, 1)});
  CHECK_FALSE(bench.step(passed()));
  CHECK(bench.peer.health.load() == Health::checking);
  const auto transition = bench.health.end_grace(1, bench.clock.now());
  REQUIRE(transition);
  CHECK(transition->to == Health::unchecked);
  // Of one that waits for nobody, the other's silence is not the end of its patience.
  Bench mandatory(std::vector{with_grace(1, 1), check_config(1, 1, true)});
  CHECK_FALSE(mandatory.health.end_grace(0, mandatory.clock.now()));
  CHECK(mandatory.peer.health.load() == Health::checking);
}

TEST_CASE("other checks go on with what the earlier ones had found, until they know better") {
  const config::HealthCheckConfig checks[] = {check_config(2, 1, true), with_grace(1, 1)};
  ManualClock clock;
  const auto none = [](std::uint64_t) { return std::uint64_t{0}; };
  Peer up{test::spec(8000)}, down{test::spec(8001)}, fresh{test::spec(8002)};
  up.health = Health::up;
  down.health = Health::down;
  PeerHealth of_up(checks, up, none, clock.now());
  CHECK(up.health == Health::up);
  CHECK(of_up.reason().ends_with("as found by the checks before the reload"));
  CHECK(of_up.machines()[0].next_check() == clock.now());
  PeerHealth of_down(checks, down, none, clock.now());
  CHECK(down.health == Health::down);
  PeerHealth of_fresh(checks, fresh, none, clock.now());
  CHECK(fresh.health == Health::checking);
}

}  // namespace weir::upstream
