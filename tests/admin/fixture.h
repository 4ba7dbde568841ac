// A source to tell of: two servers, two upstreams, two workers, a virtual clock.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "admin/pages.h"
#include "upstream/pool.h"

namespace weir::admin::test {

inline std::shared_ptr<upstream::Peer> make_peer(const std::string& address) {
  upstream::PeerSpec spec;
  spec.name = address;
  const auto colon = address.rfind(':');
  spec.endpoint.ip = *IpAddress::parse(
      address.substr(0, colon), static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
  return std::make_shared<upstream::Peer>(spec);
}

inline std::unique_ptr<config::Location> proxy_location(std::uint32_t upstream) {
  auto location = std::make_unique<config::Location>();
  location->path = "/";
  location->content.emplace<config::ProxyConfig>().upstream = upstream;
  return location;
}

struct Fixture {
  static constexpr std::size_t kWorkers = 2;

  ManualClock clock;
  Log log;
  std::shared_ptr<config::Model> model = std::make_shared<config::Model>();
  std::shared_ptr<proxy::Runtime> runtime = std::make_shared<proxy::Runtime>();
  std::vector<proxy::WorkerStats> workers{kWorkers};
  bool draining = false;
  Source::Reloads reloads{
      .generation = 7, .last_ok = true, .last_at = WallTime{std::chrono::seconds(1700000000)}};
  Source source;

  Fixture() {
    runtime->generation = 7;
    runtime->model = model;
    source.runtime = [this] { return runtime; };
    source.workers = [this] {
      std::vector<const proxy::WorkerStats*> all;
      for (const auto& worker : workers) all.push_back(&worker);
      return all;
    };
    source.clock = &clock;
    source.log = &log;
    source.draining = [this] { return draining; };
    source.reloads = [this] { return reloads; };
    source.started = WallTime{Duration{1700000000250}};
    source.version = "1.2.3";
  }

  // The counters of the server, which may be those of an earlier one.
  proxy::PerWorker<proxy::TrafficStats>& add_server(
      const std::string& name,
      std::shared_ptr<proxy::PerWorker<proxy::TrafficStats>> stats = nullptr) {
    auto server = std::make_unique<config::ServerConfig>();
    server->primary_name = name;
    server->root = std::make_unique<config::Location>();
    model->servers.push_back(std::move(server));
    if (!stats) stats = std::make_shared<proxy::PerWorker<proxy::TrafficStats>>(kWorkers);
    runtime->server_stats.push_back(stats);
    return *stats;
  }

  // The last server's `location /`.
  void add_location(std::uint32_t upstream) {
    model->servers.back()->root->nested.push_back(proxy_location(upstream));
  }

  // The counters of a location of the last server.
  proxy::PerWorker<proxy::LocationStats>& count_location(const std::string& location) {
    auto stats = std::make_shared<proxy::PerWorker<proxy::LocationStats>>(kWorkers);
    runtime->location_stats.push_back({model->servers.back().get(), location, stats});
    return *stats;
  }

  proxy::PoolNode& add_pool(const std::string& name,
                            std::vector<std::shared_ptr<upstream::Peer>> peers,
                            config::Balance balance = config::Balance::round_robin) {
    proxy::PoolNode node;
    for (std::size_t i = 0; i < peers.size(); ++i) {
      node.stats.push_back(std::make_shared<proxy::PerWorker<proxy::PeerStats>>(kWorkers));
    }
    node.pool = std::make_shared<upstream::Pool>(name, balance, std::move(peers));
    runtime->pools.push_back(std::move(node));
    return runtime->pools.back();
  }

  // A request of `pool` that fails at the peer that is chosen.
  void fail_once(upstream::Pool& pool) const {
    upstream::Walk walk;
    walk.reset(IpAddress{});
    const auto choice = pool.pick(walk, clock.now());
    if (choice.peer != nullptr) pool.done(*choice.peer, upstream::Outcome::failure, clock.now());
  }
};

}  // namespace weir::admin::test
