// Samples, rates, percentiles; what is told of them.
#include "admin/history.h"

#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>

#include "admin/fixture.h"
#include "admin/snapshot.h"

namespace weir::admin {
namespace {

namespace json = boost::json;

struct Sampled : test::Fixture {
  History history;

  Sampled() {
    source.history = &history;
    add_pool("app", {test::make_peer("10.0.0.1:80"), test::make_peer("10.0.0.2:80")},
             config::Balance::ip_hash);
  }
  proxy::PeerStats& peer(std::size_t i) { return runtime->pools[0].stats[i]->of(0); }
  void sample() {
    history.sample(source);
    clock.advance(History::kEvery);
  }
  void requests(std::size_t i, std::uint64_t count, Duration took, std::size_t status_class = 2) {
    for (std::uint64_t n = 0; n < count; ++n) {
      peer(i).by_class[status_class].add();
      peer(i).first_byte.observe(took);
      peer(i).choices[static_cast<std::size_t>(upstream::Reason::hash)].add();
    }
  }
  [[nodiscard]] json::object pool() const {
    return snapshot(source).at("pools").as_array().at(0).as_object();
  }
};

}  // namespace

TEST_CASE("percentiles out of buckets") {
  HistogramTotals before, now;
  CHECK_FALSE(percentile(before, now, 0.5));
  now.buckets[2] = 10;  // 5 to 10 ms
  CHECK(*percentile(before, now, 0.5) == doctest::Approx(7.5));
  CHECK(*percentile(before, now, 1) == doctest::Approx(10));
  now.buckets[4] = 10;  // 25 to 50 ms
  CHECK(*percentile(before, now, 0.75) == doctest::Approx(37.5));
  before.buckets[2] = 10;
  CHECK(*percentile(before, now, 0.5) == doctest::Approx(37.5));
  before.buckets[4] = 10;
  now.buckets.back() = 1;  // beyond the last bound
  CHECK(*percentile(before, now, 0.5) == 10000);
  // Counters that have begun anew are no flood.
  before.buckets[2] = 1000;
  CHECK(*percentile(before, now, 0.5) == 10000);
}

TEST_CASE("rates and shares of the last seconds") {
  Sampled sampled;
  sampled.sample();
  sampled.requests(0, 40, Duration{7});
  sampled.requests(1, 10, Duration{70}, 5);
  sampled.sample();
  sampled.sample();
  const auto pool = sampled.pool();
  // All came within the first of the two samples that a rate looks back over, or before.
  const auto& first = pool.at("peers").as_array().at(0).as_object();
  CHECK(first.at("requests").to_number<int>() == 40);
  CHECK(first.at("errors").to_number<double>() == 0);
  CHECK(first.at("p50").to_number<double>() == doctest::Approx(7.5).epsilon(0.02));
  CHECK(first.at("share").to_number<double>() == doctest::Approx(0.8));
  CHECK(pool.at("errors").to_number<double>() == doctest::Approx(0.2));
  CHECK(pool.at("crowded").as_string() == "10.0.0.1:80");
  const auto told = json::parse(history_json(sampled.source, "app")).as_object();
  const auto& line = told.at("pools").as_array().at(0).as_object();
  CHECK(json::serialize(line.at("per_second")) == "[null,10,0]");
  CHECK(json::serialize(line.at("errors")) == "[null,2,0]");
  const auto& peers = line.at("peers").as_array();
  CHECK(json::serialize(peers.at(1).as_object().at("per_second")) == "[null,2,0]");
  const auto states = peers.at(0).as_object().at("states").as_string();
  CHECK(states.size() == 3);
  CHECK(told.at("states").as_array().at(static_cast<std::size_t>(states[0] - 'a')) == "unchecked");
  CHECK_FALSE(told.contains("weir"));
  const auto all = json::parse(history_json(sampled.source, "")).as_object();
  CHECK(all.at("weir").as_object().at("per_second").as_array().size() == 3);
  CHECK_FALSE(all.at("pools").as_array().at(0).as_object().contains("peers"));
}

TEST_CASE("one peer is crowded where it has over half, and more than its weight asks for") {
  struct Row {
    std::uint64_t first, second;
    bool crowded;
  };
  const Row rows[] = {
      {60, 40, false}, {74, 26, false}, {80, 20, true}, {15, 0, false}, {100, 0, true}};
  for (const auto& row : rows) {
    CAPTURE(row.first);
    Sampled sampled;
    sampled.sample();
    sampled.requests(0, row.first, Duration{1});
    sampled.requests(1, row.second, Duration{1});
    CHECK(sampled.pool().at("crowded").is_null() != row.crowded);
  }
}

TEST_CASE("a quarter of an hour is kept, of what is there") {
  Sampled sampled;
  for (std::size_t i = 0; i < History::kPoints + 20; ++i) sampled.sample();
  const auto* pool = sampled.history.pool("app");
  REQUIRE(pool != nullptr);
  CHECK(pool->points.size() == History::kPoints);
  CHECK(pool->peers.size() == 2);
  CHECK(pool->recent.size() == 7);
  CHECK(sampled.history.peer("app", "10.0.0.2:80")->points.size() == History::kPoints);
  sampled.runtime->pools.clear();
  sampled.sample();
  CHECK(sampled.history.pool("app") == nullptr);
  CHECK(sampled.history.peer("app", "10.0.0.2:80") == nullptr);
}

TEST_CASE("a peer that comes or goes is no traffic, and hides none") {
  Sampled sampled;
  sampled.requests(0, 1000, Duration{70});
  sampled.requests(1, 5000, Duration{70}, 5);
  sampled.sample();
  auto& node = sampled.runtime->pools[0];
  const auto both = node;
  const auto without_second = [&] {
    node.pool = std::make_shared<upstream::Pool>(
        "app", config::Balance::ip_hash,
        std::vector<std::shared_ptr<upstream::Peer>>{both.pool->peers()[0]});
    node.stats.resize(1);
  };
  const auto last_rate = [&] { return sampled.history.pool("app")->points.back().per_second; };
  SUBCASE("one goes") {
    without_second();
    sampled.requests(0, 50, Duration{7});
    CHECK(sampled.pool().at("per_second").to_number<double>() == doctest::Approx(10));
    sampled.sample();
    CHECK(last_rate() == doctest::Approx(10));
  }
  SUBCASE("one comes with all that it has counted before") {
    without_second();
    sampled.sample();
    node = both;
    sampled.requests(0, 50, Duration{7});
    const auto told = sampled.pool();
    CHECK(told.at("per_second").to_number<double>() == doctest::Approx(5));  // of 10 s
    CHECK(told.at("errors").to_number<double>() == 0);
    CHECK(told.at("p99").to_number<double>() < 11);
    sampled.sample();
    CHECK(last_rate() == doctest::Approx(10));
    sampled.requests(1, 10, Duration{7});
    sampled.sample();
    CHECK(last_rate() == doctest::Approx(2));
  }
  SUBCASE("one begins anew") {
    node.stats[1] = std::make_shared<proxy::PerWorker<proxy::PeerStats>>(2);
    sampled.requests(0, 50, Duration{7});
    sampled.sample();
    CHECK(last_rate() == doctest::Approx(10));
  }
}

TEST_CASE("a server that comes or goes is no traffic, and hides none") {
  Sampled sampled;
  const auto count = [](auto& stats, int requests) {
    for (int i = 0; i < requests; ++i) stats.of(0).by_class[2].add();
  };
  auto& first = sampled.add_server("a.example");
  count(first, 10);
  count(sampled.add_server("b.example"), 1000);
  sampled.sample();
  const auto other = sampled.runtime->server_stats[1];
  const auto rate = [&] { return sampled.history.weir().points.back().per_second; };
  sampled.runtime->server_stats.pop_back();
  count(first, 50);
  sampled.sample();
  CHECK(rate() == doctest::Approx(10));
  sampled.runtime->server_stats.push_back(other);
  sampled.runtime->server_stats.push_back(other);  // of the same name
  sampled.sample();
  CHECK(rate() == 0);
  count(*other, 50);
  const auto weir = snapshot(sampled.source).at("weir").as_object();
  CHECK(weir.at("per_second").to_number<double>() == doctest::Approx(5));
  sampled.sample();
  CHECK(rate() == doctest::Approx(10));
}

TEST_CASE("an address that stands twice in a pool counts once") {
  Sampled sampled;
  auto& node = sampled.runtime->pools[0];
  node.pool = std::make_shared<upstream::Pool>(
      "app", config::Balance::ip_hash,
      std::vector<std::shared_ptr<upstream::Peer>>{test::make_peer("10.0.0.1:80"),
                                                   test::make_peer("10.0.0.1:80"),
                                                   test::make_peer("10.0.0.2:80")});
  node.stats = {node.stats[0], node.stats[0], node.stats[1]};
  node.pool->peers()[0]->conns = 3;
  node.pool->peers()[1]->conns = 4;
  sampled.sample();
  sampled.requests(0, 60, Duration{7});
  sampled.requests(2, 40, Duration{7});
  for (int i = 0; i < 5; ++i) sampled.peer(0).retries.add();
  const auto pool = sampled.pool();
  CHECK(pool.at("per_second").to_number<double>() == doctest::Approx(20));
  CHECK(pool.at("retries").to_number<int>() == 5);
  CHECK(pool.at("in_flight").to_number<int>() == 7);
  const auto& peers = pool.at("peers").as_array();
  CHECK(peers.at(0).at("share").to_number<double>() == doctest::Approx(0.6));
  CHECK(peers.at(2).at("share").to_number<double>() == doctest::Approx(0.4));
  CHECK(pool.at("crowded").is_null());
  sampled.sample();
  const auto& point = sampled.history.pool("app")->points.back();
  CHECK(point.per_second == doctest::Approx(20));
  CHECK(point.in_flight == 7);
}

TEST_CASE("counters beyond 32 bits") {
  Sampled sampled;
  constexpr std::uint64_t kMany = (std::uint64_t{1} << 33) + 7;
  sampled.peer(0).retries.add(kMany);
  sampled.peer(0).choices[static_cast<std::size_t>(upstream::Reason::hash)].add(kMany);
  sampled.runtime->pools[0].pool->peers()[0]->ejections = 70'000;
  sampled.sample();
  sampled.peer(0).retries.add(3);
  const auto pool = sampled.pool();
  CHECK(pool.at("retries").to_number<std::uint64_t>() == 3);
  const auto& peer = pool.at("peers").at(0);
  CHECK(peer.at("ejections").to_number<int>() == 0);
  CHECK(peer.at("share").is_null());
}

TEST_CASE("a backup that nobody needs takes no share of a peer's load") {
  Sampled sampled;
  auto backup = test::make_peer("10.0.0.3:80");
  auto spec = backup->spec;
  spec.backup = true;
  auto& node = sampled.runtime->pools[0];
  const std::vector<std::shared_ptr<upstream::Peer>> peers(node.pool->peers().begin(),
                                                           node.pool->peers().end());
  node.pool =
      std::make_shared<upstream::Pool>("app", config::Balance::round_robin,
                                       std::vector<std::shared_ptr<upstream::Peer>>{
                                           peers[0], std::make_shared<upstream::Peer>(spec)});
  bool crowded = false;
  SUBCASE("the only one that is no backup has all") {}
  SUBCASE("two, and one has too much") {
    node.pool = std::make_shared<upstream::Pool>(
        "app", config::Balance::round_robin,
        std::vector<std::shared_ptr<upstream::Peer>>{peers[0], peers[1],
                                                     std::make_shared<upstream::Peer>(spec)});
    node.stats.push_back(std::make_shared<proxy::PerWorker<proxy::PeerStats>>(2));
    crowded = true;
  }
  sampled.sample();
  sampled.requests(0, 100, Duration{1});
  CHECK(sampled.pool().at("crowded").is_null() != crowded);
}

TEST_CASE("nothing that is told of the present changes by itself but ages") {
  Sampled sampled;
  sampled.sample();
  const auto before = sampled.pool();
  sampled.clock.advance(Duration{60000});
  CHECK(sampled.pool() == before);
}

}  // namespace weir::admin
