// Readiness and the JSON of upstreams.
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>
#include <functional>

#include "admin/fixture.h"
#include "admin/peer_view.h"

namespace weir::admin {
using test::Fixture;
using upstream::Health;

namespace {

namespace json = boost::json;

json::object only_peer(const Fixture& fixture, std::size_t index = 0) {
  const auto all = json::parse(upstreams_json(fixture.source)).as_object();
  return all.at("upstreams").as_array().at(0).at("peers").as_array().at(index).as_object();
}

std::string text_of(const json::object& object, const char* key) {
  return std::string(object.at(key).as_string());
}

}  // namespace

TEST_CASE("readiness") {
  struct Row {
    const char* name;
    std::function<void(Fixture&)> change;
    bool ready;
    const char* text;
  };
  const Row rows[] = {
      {"all is well", [](Fixture&) {}, true, "ready\n"},
      {"nothing is loaded", [](Fixture& f) { f.runtime = nullptr; }, false,
       "no configuration is loaded\n"},
      {"draining", [](Fixture& f) { f.draining = true; }, false, "shutting down\n"},
      {"one peer of two is down",
       [](Fixture& f) { f.runtime->pools[0].pool->peers()[0]->health = Health::down; }, true,
       "ready\n"},
      {"all are down",
       [](Fixture& f) {
         for (const auto& peer : f.runtime->pools[0].pool->peers()) peer->health = Health::down;
       },
       false, "upstream \"app\": no live peer of 2\n"},
      {"all wait for a mandatory check",
       [](Fixture& f) {
         for (const auto& peer : f.runtime->pools[0].pool->peers()) peer->health = Health::checking;
       },
       false, "upstream \"app\": no live peer of 2\n"},
      {"all are banned",
       [](Fixture& f) {
         f.fail_once(*f.runtime->pools[0].pool);
         f.fail_once(*f.runtime->pools[0].pool);
       },
       false, "upstream \"app\": no live peer of 2\n"},
      {"all were banned",
       [](Fixture& f) {
         f.fail_once(*f.runtime->pools[0].pool);
         f.fail_once(*f.runtime->pools[0].pool);
         f.clock.advance(std::chrono::seconds(11));
       },
       true, "ready\n"},
      {"an upstream in a nested location",
       [](Fixture& f) {
         f.runtime->pools[1].pool->peers()[0]->health = Health::down;
         auto& locations = f.model->servers[0]->root->nested;
         locations[0]->nested.push_back(test::proxy_location(1));
       },
       false, "upstream \"spare\": no live peer of 1\n"},
      {"an upstream that no location uses",
       [](Fixture& f) { f.runtime->pools[1].pool->peers()[0]->health = Health::down; }, true,
       "ready\n"},
      {"several reasons",
       [](Fixture& f) {
         f.draining = true;
         f.add_location(1);
         f.runtime->pools[1].pool->peers()[0]->health = Health::down;
         for (const auto& peer : f.runtime->pools[0].pool->peers()) peer->health = Health::down;
       },
       false,
       "shutting down\nupstream \"app\": no live peer of 2\nupstream \"spare\": no live peer of "
       "1\n"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    Fixture fixture;
    fixture.add_pool("app", {test::make_peer("10.0.0.1:80"), test::make_peer("10.0.0.2:80")});
    fixture.add_pool("spare", {test::make_peer("10.0.0.9:80")});
    fixture.add_server("a.example");
    fixture.add_location(0);
    row.change(fixture);
    const auto got = readiness(fixture.source);
    CHECK(got.ready == row.ready);
    CHECK(got.text == row.text);
    const auto page = page_for(fixture.source, "GET", "/readyz");
    CHECK(page.status == (row.ready ? 200 : 503));
    CHECK(page.body == row.text);
    CHECK(page_for(fixture.source, "GET", "/healthz").status == 200);
  }
}

TEST_CASE("the state of a peer, and whether it gets requests, as the pool decides") {
  struct Row {
    const char* name;
    std::function<void(upstream::Peer&)> change;
    std::function<void(Fixture&, upstream::Pool&)> then;
    const char* state;
    const char* reason;
    bool eligible;
  };
  const auto nothing = [](Fixture&, upstream::Pool&) {};
  const auto fail = [](Fixture& f, upstream::Pool& pool) { f.fail_once(pool); };
  const Row rows[] = {
      {"unchecked", [](upstream::Peer&) {}, nothing, "unchecked", "", true},
      {"up", [](upstream::Peer& p) { p.health = Health::up; }, nothing, "up", "", true},
      {"down", [](upstream::Peer& p) { p.health = Health::down; }, nothing, "down", "", false},
      {"checking", [](upstream::Peer& p) { p.health = Health::checking; }, nothing, "checking", "",
       false},
      {"down in the configuration", [](upstream::Peer& p) { p.spec.down = true; }, nothing,
       "down by configuration", "down in the configuration", false},
      {"down by its registry",
       [](upstream::Peer& p) {
         p.spec.down = true;
         p.spec.why_down = "vanished";
       },
       nothing, "down by registry", "vanished", false},
      {"failed", [](upstream::Peer&) {}, fail, "failed",
       "1 failed, max_fails=1, tried again in 11 s", false},
      {"failed, checks pass", [](upstream::Peer& p) { p.health = Health::up; }, fail, "failed",
       "1 failed, max_fails=1, tried again in 11 s", false},
      {"failed, then down", [](upstream::Peer&) {},
       [fail](Fixture& f, upstream::Pool& pool) {
         fail(f, pool);
         pool.peers()[0]->health = Health::down;
       },
       "down", "", false},
      {"failed, at the end of fail_timeout", [](upstream::Peer&) {},
       [fail](Fixture& f, upstream::Pool& pool) {
         fail(f, pool);
         f.clock.advance(std::chrono::seconds(10));
       },
       "failed", "1 failed, max_fails=1, tried again in 1 s", false},
      {"failed, after fail_timeout", [](upstream::Peer&) {},
       [fail](Fixture& f, upstream::Pool& pool) {
         fail(f, pool);
         f.clock.advance(std::chrono::seconds(11));
       },
       "unchecked", "", true},
      {"failed, checks saw it come back", [](upstream::Peer&) {},
       [fail](Fixture& f, upstream::Pool& pool) {
         fail(f, pool);
         pool.peers()[0]->recovered = true;
       },
       "unchecked", "", true},
      {"failed less than max_fails", [](upstream::Peer& p) { p.spec.max_fails = 2; }, fail,
       "unchecked", "", true},
      {"failures are not counted", [](upstream::Peer& p) { p.spec.max_fails = 0; }, fail,
       "unchecked", "", true},
      {"full",
       [](upstream::Peer& p) {
         p.spec.max_conns = 2;
         p.conns = 2;
       },
       nothing, "unchecked", "max_conns reached", false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    Fixture fixture;
    auto first = test::make_peer("10.0.0.1:80");
    row.change(*first);
    auto second = test::make_peer("10.0.0.2:80");
    auto& pool = *fixture.add_pool("app", {first, second}).pool;
    second->health = Health::down;  // so that the first is chosen
    row.then(fixture, pool);
    const auto peer = only_peer(fixture);
    CHECK(text_of(peer, "state") == row.state);
    CHECK(text_of(peer, "reason") == row.reason);
    CHECK(peer.at("gets_requests").as_bool() == row.eligible);
    CHECK((pool.live(fixture.clock.now()) == 1) == row.eligible);
  }
}

TEST_CASE("failures never take out the only peer, as in nginx") {
  Fixture fixture;
  auto& pool = *fixture.add_pool("app", {test::make_peer("10.0.0.1:80")}).pool;
  fixture.fail_once(pool);
  const auto peer = only_peer(fixture);
  CHECK(text_of(peer, "state") == "unchecked");
  CHECK(peer.at("gets_requests").as_bool());
}

TEST_CASE("a backup alone may be banned") {
  Fixture fixture;
  auto backup = test::make_peer("10.0.0.1:80");
  backup->spec.backup = true;
  auto& pool = *fixture.add_pool("app", {backup}).pool;
  fixture.fail_once(pool);
  CHECK(text_of(only_peer(fixture), "state") == "failed");
  CHECK(pool.live(fixture.clock.now()) == 0);
}

TEST_CASE("upstreams as JSON") {
  Fixture fixture;
  auto first = test::make_peer("10.0.0.1:80");
  first->spec.name = "node \"\xff\"";
  first->spec.weight = 3;
  auto second = test::make_peer("10.0.0.2:80");
  second->spec.backup = true;
  fixture.add_pool("app", {first, second}, config::Balance::ip_hash);
  fixture.add_pool("empty", {});
  auto& node = fixture.runtime->pools[0];
  node.stats[0]->of(0).by_class[2].add(5);
  node.stats[0]->of(1).by_class[2].add(6);
  node.stats[0]->of(1).by_class[0].add(1);
  node.stats[0]->of(1).retries.add(2);
  node.stats[0]->of(0).failures.add(3);
  first->conns = 4;
  fixture.fail_once(*node.pool);
  first->conns = 4;
  fixture.clock.advance(std::chrono::seconds(3));

  const auto all = json::parse(upstreams_json(fixture.source)).as_object();
  CHECK(all.at("generation").to_number<int>() == 7);
  const auto& pools = all.at("upstreams").as_array();
  REQUIRE(pools.size() == 2);
  CHECK(pools[0].at("name").as_string() == "app");
  CHECK(pools[0].at("balance").as_string() == "ip_hash");
  CHECK(pools[0].at("live").to_number<int>() == 1);
  CHECK(pools[1].at("balance").as_string() == "round_robin");
  CHECK(pools[1].at("peers").as_array().empty());
  REQUIRE(pools[0].at("peers").as_array().size() == 2);
  const auto peer = only_peer(fixture);
  CHECK(text_of(peer, "name") == "node \"?\"");
  CHECK(text_of(peer, "address") == "10.0.0.1:80");
  CHECK(text_of(peer, "state") == "failed");
  CHECK(peer.at("since").as_double() == 3.0);
  CHECK(peer.at("weight").to_number<int>() == 3);
  CHECK_FALSE(peer.at("backup").as_bool());
  CHECK(peer.at("in_flight").to_number<int>() == 4);
  CHECK(peer.at("fails").to_number<int>() == 1);
  CHECK(peer.at("requests").at("2xx").to_number<int>() == 11);
  CHECK(peer.at("requests").at("none").to_number<int>() == 1);
  CHECK(peer.at("requests").at("5xx").to_number<int>() == 0);
  CHECK(peer.at("retries").to_number<int>() == 2);
  CHECK(peer.at("failures").to_number<int>() == 3);
  CHECK(peer.at("last_check").is_null());
  CHECK(peer.at("checks").to_number<int>() == 0);
  const auto backup = only_peer(fixture, 1);
  CHECK(backup.at("backup").as_bool());
  CHECK(backup.at("since").is_null());
}

TEST_CASE("no configuration: no upstreams") {
  Fixture fixture;
  fixture.runtime = nullptr;
  const auto all = json::parse(upstreams_json(fixture.source)).as_object();
  CHECK(all.at("upstreams").as_array().empty());
}

TEST_CASE("what active checks say of a peer") {
  // A port that is bound and does not listen refuses connections.
  const int closed = ::socket(AF_INET, SOCK_STREAM, 0);
  auto where = *IpAddress::parse("127.0.0.1");
  REQUIRE(::bind(closed, where.data(), where.size()) == 0);
  sockaddr_in bound{};
  socklen_t size = sizeof bound;
  REQUIRE(::getsockname(closed, reinterpret_cast<sockaddr*>(&bound), &size) == 0);

  boost::asio::io_context io;
  Fixture fixture;
  auto peer = test::make_peer("127.0.0.1:" + std::to_string(ntohs(bound.sin_port)));
  fixture.add_pool("app", {peer});
  bool done = false;
  probe::Prober prober(io, fixture.clock, [](std::uint64_t) { return std::uint64_t{0}; },
                       {.on_result = [&done](const auto&, const auto&) { done = true; }});
  fixture.source.prober = &prober;
  prober.set_targets({{.pool = "app", .peer = peer, .checks = {{}}}});

  CHECK(only_peer(fixture).at("last_check").is_null());
  while (!done && io.run_one_for(std::chrono::seconds(10)) > 0) {
  }
  REQUIRE(done);
  fixture.clock.advance(Duration{1500});
  const auto got = only_peer(fixture);
  CHECK(text_of(got, "state") == "down");
  CHECK(text_of(got, "reason") == "connect: connection refused (1/1)");
  CHECK(got.at("since").as_double() == 1.5);
  CHECK(got.at("checks").to_number<int>() == 1);
  CHECK(got.at("failed_checks").to_number<int>() == 1);
  const auto& last = got.at("last_check").as_object();
  CHECK(text_of(last, "layer") == upstream::to_string(upstream::CheckLayer::connect));
  CHECK(text_of(last, "detail") == "connection refused");
  CHECK(last.at("status").to_number<int>() == 0);
  CHECK(last.at("took_ms").to_number<int>() >= 0);
  const auto metrics = metrics_text(fixture.source);
  const auto labels = "{upstream=\"app\",peer=\"" + peer->text + "\"} ";
  CHECK(metrics.find("weir_upstream_checks_failed_total{upstream=\"app\",peer=\"" + peer->text +
                     "\",layer=\"connect\"} 1\n") != std::string::npos);
  CHECK(metrics.find("layer=\"body\"} 0\n") != std::string::npos);
  CHECK(metrics.find("weir_upstream_peer_up" + labels + "0\n") != std::string::npos);
  prober.stop();
  ::close(closed);
}

}  // namespace weir::admin
