#include "base/timer_wheel.h"

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <random>
#include <vector>

using namespace weir;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

struct Probe : TimerWheel::Timer {
  explicit Probe(const ManualClock& clock_) : Timer(&Probe::fired), clock(clock_) {}
  static void fired(Timer& timer) {
    auto& self = static_cast<Probe&>(timer);
    self.at.push_back(self.clock.now());
    if (self.then) self.then(self);
  }
  const ManualClock& clock;
  std::vector<TimePoint> at;
  std::function<void(Probe&)> then;
};

// Moves time on in steps as a loop would: as far as the wheel lets it sleep.
void run(ManualClock& clock, TimerWheel& wheel, Duration span) {
  const auto end = clock.now() + span;
  while (clock.now() < end) {
    const int wait = wheel.wait_ms(clock.now());
    const auto left = end - clock.now();
    const auto step = wait < 0 ? left : std::min<Duration>(left, milliseconds(std::max(wait, 1)));
    clock.advance(step);
    wheel.advance(clock.now());
  }
}

}  // namespace

TEST_CASE("a timer fires once, never early and at most one tick late") {
  for (const auto wait : {1, 15, 16, 17, 999, 1000, 60'000, 65'536, 66'000, 3'600'000}) {
    CAPTURE(wait);
    ManualClock clock;
    TimerWheel wheel(clock.now());
    Probe probe(clock);
    const auto due = clock.now() + milliseconds(wait);
    wheel.arm(probe, due);
    run(clock, wheel, milliseconds(wait) + seconds(1));
    REQUIRE(probe.at.size() == 1);
    CHECK(probe.at[0] >= due);
    CHECK(probe.at[0] < due + TimerWheel::kTick + milliseconds(1));
  }
}

TEST_CASE("a deadline can move both ways, and be taken back") {
  ManualClock clock;
  TimerWheel wheel(clock.now());
  Probe later(clock), sooner(clock), never(clock);
  const auto start = clock.now();
  wheel.arm(later, start + seconds(1));
  wheel.arm(later, start + seconds(10));
  wheel.arm(sooner, start + seconds(10));
  wheel.arm(sooner, start + seconds(1));
  wheel.arm(never, start + seconds(1));
  never.disarm();
  run(clock, wheel, seconds(5));
  CHECK(later.at.empty());
  REQUIRE(sooner.at.size() == 1);
  run(clock, wheel, seconds(10));
  CHECK(later.at.size() == 1);
  CHECK(sooner.at.size() == 1);
  CHECK(never.at.empty());
  CHECK(wheel.wait_ms(clock.now()) == -1);
}

TEST_CASE("callbacks may arm, disarm and destroy timers of the same slot") {
  ManualClock clock;
  TimerWheel wheel(clock.now());
  auto victim = std::make_unique<Probe>(clock);
  Probe killer(clock), again(clock), spared(clock);
  const auto due = clock.now() + seconds(1);
  // The list is last in, first out: the killer runs before its victims.
  wheel.arm(*victim, due);
  wheel.arm(spared, due);
  wheel.arm(again, due);
  wheel.arm(killer, due);
  killer.then = [&](Probe&) {
    victim.reset();
    spared.disarm();
  };
  again.then = [&](Probe& self) {
    if (self.at.size() < 3) wheel.arm(self, clock.now() + seconds(1));
  };
  run(clock, wheel, seconds(10));
  CHECK(killer.at.size() == 1);
  CHECK(spared.at.empty());
  CHECK(again.at.size() == 3);
}

TEST_CASE("a pause longer than the wheel fires everything that is due") {
  ManualClock clock;
  TimerWheel wheel(clock.now());
  std::vector<std::unique_ptr<Probe>> probes;
  for (int i = 0; i < 200; ++i) {
    probes.push_back(std::make_unique<Probe>(clock));
    wheel.arm(*probes.back(), clock.now() + seconds(i * 7));
  }
  clock.advance(hours(2));
  wheel.advance(clock.now());
  for (const auto& probe : probes) CHECK(probe->at.size() == 1);
}

TEST_CASE("random use agrees with a list of deadlines") {
  std::mt19937 random(7);
  ManualClock clock;
  TimerWheel wheel(clock.now());
  std::vector<std::unique_ptr<Probe>> probes;
  std::vector<TimePoint> due(300, TimePoint::max());
  for (int i = 0; i < 300; ++i) probes.push_back(std::make_unique<Probe>(clock));
  std::vector<std::size_t> fired(300, 0);
  for (int round = 0; round < 5000; ++round) {
    const auto i = random() % probes.size();
    if (random() % 4 == 0) {
      probes[i]->disarm();
      due[i] = TimePoint::max();
    } else {
      due[i] = clock.now() + milliseconds(random() % 200'000);
      wheel.arm(*probes[i], due[i]);
    }
    clock.advance(milliseconds(random() % 300));
    wheel.advance(clock.now());
    for (std::size_t k = 0; k < probes.size(); ++k) {
      const bool did = probes[k]->at.size() > fired[k];
      fired[k] = probes[k]->at.size();
      if (did) {
        CHECK(due[k] <= clock.now());
        due[k] = TimePoint::max();
      } else {
        CHECK(due[k] > clock.now() - TimerWheel::kTick);
      }
    }
  }
}
