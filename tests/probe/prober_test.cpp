#include "probe/prober.h"

#include <doctest/doctest.h>

#include <map>

#include "probe/scripted_server.h"

namespace weir::probe {
using test::answer;
using upstream::Health;
using upstream::Peer;

namespace {

// A prober, peers that are servers of the same loop, and what it said.
struct Bench {
  Bench()
      : prober(io, clock, [](std::uint64_t) { return std::uint64_t{0}; },
               {.on_transition =
                    [this](const Target& target, const auto& transition) {
                      lines.push_back(log_line(target, transition));
                      if (at_transition) at_transition();
                    },
                .on_result = [this](const Target& target,
                                    const auto&) { ++results[target.peer.get()]; }}) {}

  Target target(const test::TcpServer& server) {
    upstream::PeerSpec spec;
    spec.endpoint.ip = *IpAddress::parse("127.0.0.1", server.where().port());
    spec.name = spec.endpoint.text();
    return {.pool = "app", .peer = std::make_shared<Peer>(spec), .checks = {check}};
  }
  bool run_until(const std::function<bool()>& condition) { return test::run_until(io, condition); }
  // Runs until this many more checks of the peer have ended.
  bool run_checks(const std::shared_ptr<Peer>& peer, int count) {
    const int goal = results[peer.get()] + count;
    return run_until([&] { return results[peer.get()] >= goal; });
  }

  static config::HealthCheckConfig quick() {
    config::HealthCheckConfig config;
    config.interval = config.fast_interval = Duration{5};
    config.timeout = Duration{2000};
    config.match.status = {{.from = 200, .to = 399}};
    return config;
  }

  test::asio::io_context io;
  SystemClock clock;
  config::HealthCheckConfig check = quick();
  std::vector<std::string> lines;
  std::map<const Peer*, int> results;
  std::function<void()> at_transition;
  Prober prober;
};

}  // namespace

TEST_CASE("a peer goes down and comes back, each change is told once") {
  Bench bench;
  bench.check.fails = 2;
  test::TcpServer server(bench.io, test::any_port());
  server.script.answer = answer("200 OK");
  const Target target = bench.target(server);
  const auto& peer = target.peer;
  bench.prober.set_targets({target});

  CHECK(bench.run_until([&] { return peer->health == Health::up; }));
  CHECK(bench.run_checks(peer, 3));
  server.script.answer = answer("503 Service Unavailable");
  CHECK(bench.run_until([&] { return peer->health == Health::down; }));
  CHECK(bench.run_checks(peer, 3));
  server.script.answer = answer("200 OK");
  CHECK(bench.run_until([&] { return peer->health == Health::up; }));
  CHECK(bench.run_checks(peer, 1));
  const std::string who = "peer " + peer->text + " of \"app\" ";
  CHECK(bench.lines == std::vector<std::string>{
                           who + "up: ok: got 200 (1/1)",
                           who + "down: status: got 503, want 200-399 (2/2)",
                           who + "up: ok: got 200 (1/1)",
                       });

  const auto snapshot = bench.prober.snapshot();
  REQUIRE(snapshot.size() == 1);
  CHECK(snapshot[0].pool == "app");
  CHECK(snapshot[0].peer == peer->text);
  CHECK(snapshot[0].state == Health::up);
  CHECK(snapshot[0].reason == "ok: got 200 (1/1)");
  CHECK(snapshot[0].last.status == 200);
  CHECK(snapshot[0].checks == static_cast<std::uint64_t>(bench.results[peer.get()]));
  CHECK(snapshot[0].failed_checks >= 2);
  CHECK(bench.prober.find(*peer)->checks() == snapshot[0].checks);
  CHECK(bench.prober.find(Peer({})) == nullptr);
}

TEST_CASE("one check at a time for each peer, and one peer's fault is not another's") {
  Bench bench;
  bench.check.timeout = Duration{40};  // many intervals
  test::TcpServer hangs(bench.io, test::any_port());
  test::TcpServer serves(bench.io, test::any_port());
  serves.script.answer = answer("200 OK");
  const Target bad = bench.target(hangs);
  const Target good = bench.target(serves);
  bench.prober.set_targets({bad, good});
  CHECK(bench.run_checks(bad.peer, 3));
  CHECK(bad.peer->health == Health::down);
  CHECK(good.peer->health == Health::up);
  CHECK(bench.results[good.peer.get()] > bench.results[bad.peer.get()]);
  CHECK(hangs.connections <= 4);
  CHECK(hangs.most_open <= 2);  // it may see the end of one after the start of the next
  CHECK(bench.prober.snapshot()[0].reason == "timeout: the answer took longer than 40 ms (1/1)");
}

TEST_CASE("checks over one connection") {
  Bench bench;
  test::TcpServer server(bench.io, test::any_port());
  server.script = {.answer = answer("200 OK"), .again = true};
  SUBCASE("for as long as it may be used") {
    bench.check.keepalive_time = std::chrono::hours{1};
    const Target target = bench.target(server);
    bench.prober.set_targets({target});
    CHECK(bench.run_checks(target.peer, 5));
    CHECK(server.connections == 1);
    CHECK(server.requests == 5);
    bench.prober.stop();
    CHECK(bench.run_until([&] { return server.open == 0; }));
  }
  SUBCASE("then over another one") {
    bench.check.keepalive_time = Duration{1};  // the interval is 5 ms
    const Target target = bench.target(server);
    bench.prober.set_targets({target});
    CHECK(bench.run_checks(target.peer, 3));
    CHECK(server.connections == 3);
  }
  SUBCASE("a peer may close it between two checks") {
    server.script.close = true;
    bench.check.keepalive_time = std::chrono::hours{1};
    const Target target = bench.target(server);
    bench.prober.set_targets({target});
    CHECK(bench.run_checks(target.peer, 4));
    CHECK(target.peer->health == Health::up);
    CHECK(bench.prober.find(*target.peer)->failed_checks() == 0);
    CHECK(server.connections == 4);
  }
  SUBCASE("what fails is asked anew") {
    bench.check.keepalive_time = std::chrono::hours{1};
    const Target target = bench.target(server);
    bench.prober.set_targets({target});
    CHECK(bench.run_checks(target.peer, 1));
    server.script.answer = answer("503 No");  // of connections to come
    CHECK(bench.run_checks(target.peer, 2));
    CHECK(server.connections == 1);
    CHECK(target.peer->health == Health::up);
  }
  SUBCASE("without keepalive_time each has its own") {
    const Target target = bench.target(server);
    bench.prober.set_targets({target});
    CHECK(bench.run_checks(target.peer, 3));
    CHECK(server.connections == 3);
  }
}

TEST_CASE("a grace ends by itself where nothing is heard") {
  Bench bench;
  bench.check.grace = Duration{30};
  test::TcpServer hangs(bench.io, test::any_port());
  const Target target = bench.target(hangs);
  bench.prober.set_targets({target});
  CHECK(target.peer->health == Health::checking);
  CHECK(bench.run_until([&] { return target.peer->health == Health::unchecked; }));
  CHECK(bench.lines == std::vector<std::string>{"peer " + target.peer->text +
                                                " of \"app\" unchecked: no verdict within 30 ms"});
  bench.prober.stop();
  CHECK(bench.run_until([&] { return target.peer.use_count() == 1; }));
}

TEST_CASE("new targets: who stays keeps state, who goes is left alone") {
  Bench bench;
  test::TcpServer server(bench.io, test::any_port());
  test::TcpServer second(bench.io, test::any_port());
  server.script.answer = second.script.answer = answer("500 Oops");
  const Target stays = bench.target(server);
  const Target goes = bench.target(second);
  bench.prober.set_targets({stays, goes});
  CHECK(bench.run_until(
      [&] { return stays.peer->health == Health::down && goes.peer->health == Health::down; }));
  const auto since = bench.prober.find(*stays.peer)->since();

  // Named otherwise and in another place, but the same peer and settings.
  Target renamed = stays;
  renamed.pool = "other";
  renamed.checks[0].position.line = 9;
  test::TcpServer third(bench.io, test::any_port());
  third.script.answer = answer("200 OK");
  const Target comes = bench.target(third);
  bench.prober.set_targets({comes, renamed});
  CHECK(bench.prober.find(*stays.peer)->since() == since);
  CHECK(bench.prober.find(*goes.peer) == nullptr);
  CHECK(bench.prober.snapshot()[1].pool == "other");
  CHECK(stays.peer->health == Health::down);

  const int seen = bench.results[goes.peer.get()];
  CHECK(bench.run_until([&] { return comes.peer->health == Health::up; }));
  CHECK(bench.run_checks(stays.peer, 3));
  CHECK(bench.results[goes.peer.get()] == seen);
  CHECK(goes.peer->health == Health::down);  // as it was

  Target changed = stays;
  changed.checks[0].uri = "/other";
  bench.prober.set_targets({changed});
  CHECK(stays.peer->health == Health::down);  // another check has said nothing yet
  CHECK(bench.run_until([&] { return server.last_request.find("GET /other ") == 0; }));
}

TEST_CASE("targets may be replaced from within a hook, and while a check is under way") {
  Bench bench;
  test::TcpServer server(bench.io, test::any_port());
  const Target target = bench.target(server);
  bench.prober.set_targets({target});
  SUBCASE("under way") {
    CHECK(bench.run_until([&] { return !server.last_request.empty(); }));
    bench.prober.stop();
    CHECK(bench.run_until([&] { return server.open == 0; }));
    CHECK(target.peer->health == Health::unchecked);
    CHECK(bench.results.empty());
  }
  SUBCASE("from within a hook") {
    server.script.answer = answer("200 OK");
    bench.at_transition = [&] { bench.prober.stop(); };
    CHECK(bench.run_until([&] { return !bench.lines.empty() && server.open == 0; }));
    CHECK(bench.results.empty());
    CHECK(server.connections == 1);
  }
  CHECK(bench.prober.snapshot().empty());
  CHECK(target.peer.use_count() == 1);  // nothing holds it any more
}

TEST_CASE("a prober that goes away leaves nothing behind") {
  test::asio::io_context io;
  SystemClock clock;
  test::TcpServer server(io, test::any_port());
  upstream::PeerSpec spec;
  spec.endpoint.ip = *IpAddress::parse("127.0.0.1", server.where().port());
  const auto peer = std::make_shared<Peer>(spec);
  {
    Prober prober(io, clock, [](std::uint64_t) { return std::uint64_t{0}; }, {});
    prober.set_targets({{.pool = "app", .peer = peer, .checks = {Bench::quick()}}});
    CHECK(test::run_until(io, [&server] { return !server.last_request.empty(); }));
  }
  CHECK(test::run_until(io, [&] { return server.open == 0 && peer.use_count() == 1; }));
}

}  // namespace weir::probe
