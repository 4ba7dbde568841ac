#include "upstream/health.h"

#include <doctest/doctest.h>

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

CheckResult passed() { return {.layer = CheckLayer::ok, .status = 200, .detail = "got 200"}; }
CheckResult refused() { return {.layer = CheckLayer::connect, .detail = "connection refused"}; }

// A machine in virtual time.
struct Bench {
  explicit Bench(const config::HealthCheckConfig& config, HealthMachine::Random random = {})
      : machine(config, peer, std::move(random), clock.now()) {}

  // Waits for the next check and gives it this result.
  std::optional<HealthMachine::Transition> step(const CheckResult& result) {
    clock.advance(machine.next_check() - clock.now());
    return machine.on_check(result, clock.now());
  }

  ManualClock clock;
  Peer peer{test::spec(8000)};
  HealthMachine machine;
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
  CHECK(bench.machine.since() == start);

  const auto down = bench.step(refused());
  REQUIRE(down);
  CHECK(down->from == Health::up);
  CHECK(down->to == Health::down);
  CHECK(down->reason == "connect: connection refused (2/2)");
  CHECK(bench.machine.reason() == down->reason);
  CHECK(bench.machine.since() == bench.clock.now());
  CHECK_FALSE(bench.step(refused()));

  REQUIRE(bench.step(passed()));
  CHECK(bench.peer.recovered);  // its passive failures are to be forgotten
  CHECK(bench.machine.checks() == 6);
  CHECK(bench.machine.failed_checks() == 3);
  CHECK(bench.machine.last().status == 200);
}

TEST_CASE("waits: the first at once, short ones while changing, unknown or down") {
  Bench bench(check_config(2, 2));
  CHECK(bench.machine.next_check() == bench.clock.now());
  const auto wait_after = [&bench](const CheckResult& result) {
    bench.step(result);
    return bench.machine.next_check() - bench.clock.now();
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
  CHECK(quick.machine.next_check() - quick.clock.now() == milliseconds{200});
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
  CHECK(bench.machine.next_check() - bench.clock.now() == milliseconds{7999});
  bench.step(refused());  // down: at most the double of the short wait
  CHECK(bench.machine.next_check() - bench.clock.now() == milliseconds{1999});
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
    const auto transition = bench.step(is_away(bench.machine.next_check()) ? refused() : passed());
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

}  // namespace weir::upstream
