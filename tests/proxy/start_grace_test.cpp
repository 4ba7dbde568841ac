#include "proxy/start_grace.h"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

using namespace weir;
using namespace weir::proxy;
using std::chrono::milliseconds;
using upstream::Health;

namespace {

// A pool whose peers have these states: u(nchecked), c(hecking), U(p), D(own), - for those that the
// configuration has taken out, d for those that it drains, h for those up that operators hold.
upstream::Pool pool_of(const std::string& states) {
  std::vector<std::shared_ptr<upstream::Peer>> peers;
  for (std::size_t i = 0; i < states.size(); ++i) {
    upstream::PeerSpec spec;
    spec.endpoint.ip = *IpAddress::parse("127.0.0.1", static_cast<std::uint16_t>(8000 + i));
    spec.down = states[i] == '-';
    spec.drain = states[i] == 'd';
    peers.push_back(std::make_shared<upstream::Peer>(spec));
    if (states[i] == 'h') peers.back()->hold = upstream::Hold::aside;
    peers.back()->health = states[i] == 'U'   ? Health::up
                           : states[i] == 'D' ? Health::down
                           : states[i] == 'c' ? Health::checking
                                              : Health::unchecked;
  }
  return {"app", config::Balance::round_robin, std::move(peers)};
}

TimePoint at(int ms) { return TimePoint{milliseconds{3'600'000 + ms}}; }

}  // namespace

TEST_CASE("a request waits while nobody may take it and of some there is no verdict") {
  struct Row {
    const char* states;
    bool holds;
  };
  const Row rows[] = {
      {"c", true},  {"ccc", true}, {"Dc", true},  {"-c", true},  {"U", false},   {"D", false},
      {"u", false}, {"cU", false}, {"cu", false}, {"DD", false}, {"DUc", false}, {"-D", false},
      {"-", false}, {"", false},   {"hc", true},  {"h", false},  {"dc", true},   {"hU", false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.states);
    const auto pool = pool_of(row.states);
    StartGrace grace(pool, milliseconds{1000});
    CHECK(grace.holds(at(0)) == row.holds);
    CHECK(grace.holds(at(5000)) == row.holds);  // nobody has waited yet: no end is set
  }
}

TEST_CASE("a start is once: what comes later is no start") {
  const auto pool = pool_of("cc");
  StartGrace grace(pool, milliseconds{1000});
  CHECK(grace.holds(at(0)));
  pool.peers()[0]->health = Health::up;
  CHECK_FALSE(grace.holds(at(1)));
  pool.peers()[0]->health = Health::checking;
  CHECK_FALSE(grace.holds(at(2)));
}

TEST_CASE("the time counts from the first that waits, for all of them") {
  const auto pool = pool_of("cc");
  StartGrace grace(pool, milliseconds{1000});
  CHECK(grace.holds(at(100)));
  CHECK(grace.end(at(100)) == at(1100));
  CHECK(grace.end(at(700)) == at(1100));
  CHECK(grace.holds(at(1099)));
  CHECK_FALSE(grace.holds(at(1100)));
  CHECK_FALSE(grace.holds(at(100)));
}

namespace {

// Requests of one worker in virtual time; `log` has who went on, and when.
struct Bench {
  ManualClock clock{at(0)};
  net::Loop loop{clock};
  StartWaits waits;
  std::string log;

  net::Task<void> request(std::string name, StartGrace& grace, net::Waiter& waiter) {
    co_await waits.wait(grace, loop, waiter);
    log += name + "@" + std::to_string((loop.now() - at(0)).count()) + " ";
  }
  // One step after each turn, and some turns more.
  void run(std::vector<std::function<void()>> steps) {
    for (int i = 0; i < 3; ++i) steps.emplace_back([] {});
    std::size_t next = 0;
    loop.post([] {});
    loop.run([&] {
      if (next == steps.size()) return loop.stop();
      steps[next++]();
      loop.post([] {});
    });
  }
};

}  // namespace

TEST_CASE("waiting requests go on at the first good word, at the end, or when cancelled") {
  Bench bench;
  const auto pool = pool_of("cc");
  StartGrace grace(pool, milliseconds{1000});
  net::Waiter first(bench.loop);
  net::Waiter second(bench.loop);
  net::Waiter third(bench.loop);
  const auto begin = [&] {
    spawn(bench.request("first", grace, first));
    spawn(bench.request("second", grace, second));
    spawn(bench.request("third", grace, third));
    CHECK(bench.log.empty());
    third.cancel();
  };
  SUBCASE("a peer that fails is not a good word") {
    bench.run({begin,
               [&] {
                 pool.peers()[0]->health = Health::down;
                 bench.waits.wake();
               },
               [] {},
               [&] {
                 CHECK(bench.log == "third@0 ");
                 bench.clock.advance(milliseconds{300});
               },
               [&] {
                 pool.peers()[1]->health = Health::up;
                 bench.waits.wake();
               }});
    CHECK(bench.log == "third@0 second@300 first@300 ");
  }
  SUBCASE("the end") {
    bench.run({begin, [] {}, [&] { bench.clock.advance(milliseconds{999}); },
               [&] {
                 CHECK(bench.log == "third@0 ");
                 bench.clock.advance(milliseconds{1} + TimerWheel::kTick);
               }});
    CHECK(bench.log.starts_with("third@0 "));
    CHECK(bench.log.find("first@1016") != std::string::npos);
    CHECK(bench.log.find("second@1016") != std::string::npos);
  }
}
