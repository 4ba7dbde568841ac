#include "admin/snapshot.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>
#include <map>
#include <set>
#include <string_view>

#include "admin/history.h"
#include "admin/pages.h"
#include "admin/peer_view.h"
#include "admin/process.h"
#include "admin/rounded.h"
#include "admin/upstreams_json.h"
#include "admin/utf8.h"
#include "base/mask.h"

namespace weir::admin {
namespace {

namespace json = boost::json;

struct Moment {
  const Source& source;
  TimePoint now;
  WallTime wall;

  [[nodiscard]] std::int64_t before(Duration ago) const {
    return std::chrono::round<std::chrono::seconds>(wall - ago).time_since_epoch().count();
  }
};

std::int64_t unix_time(WallTime at) { return at.time_since_epoch().count() / 1000; }

void put(json::object& out, const Pace& pace) {
  out["per_second"] = rounded(pace.per_second);
  out["errors"] = rounded(pace.errors);
  out["p50"] = rounded(pace.p50);
  out["p95"] = rounded(pace.p95);
  out["p99"] = rounded(pace.p99);
}

Pace pace_of(const History::Track* track, const Tally& now) {
  return track != nullptr ? track->pace(now) : Pace{};
}

// What has come in the last 15 minutes.
std::uint64_t lately(std::uint64_t now, const std::vector<PeerPoint>& points,
                     std::uint64_t (*count)(const PeerPoint&)) {
  const auto before = points.empty() ? now : count(points.front());
  return now > before ? now - before : 0;
}

struct PeerSum {
  json::array peers;
  Tally tally;
  std::set<std::string_view> addresses;  // counted already: one may stand twice in a pool
  std::uint64_t in_flight = 0;
  std::uint64_t retries = 0;
  std::vector<std::uint64_t> bound;  // by peer, of the last 15 minutes
  std::uint64_t all_bound = 0;
};

json::object peer_json(const Moment& moment, const proxy::PoolNode& node, std::size_t index,
                       PeerSum& sum) {
  const auto& pool = *node.pool;
  const auto& peer = *pool.peers()[index];
  const auto view = view_peer(moment.source, pool, index, moment.now);
  const auto* history = moment.source.history;
  const auto* known = history != nullptr ? history->peer(pool.name(), peer.text) : nullptr;
  const auto tally = tally_peer(node, index, moment.now);
  static const std::vector<PeerPoint> none;
  const auto& points = known != nullptr ? known->points : none;
  const auto retries =
      lately(tally.retries, points, [](const PeerPoint& p) { return std::uint64_t{p.retries}; });
  const auto bound =
      lately(tally.bound, points, [](const PeerPoint& p) { return std::uint64_t{p.bound}; });
  sum.in_flight += view.in_flight;
  sum.bound.push_back(bound);
  if (sum.addresses.insert(peer.text).second) {  // those that follow share its counters
    const auto* whole = history != nullptr ? history->pool(pool.name()) : nullptr;
    if (whole != nullptr) sum.tally.add(whole->sum.since_last(peer.text, tally));
    sum.retries += retries;
    sum.all_bound += bound;
  }
  json::object out;
  out["name"] = to_utf8(peer.spec.name);
  out["address"] = to_utf8(peer.text);
  out["state"] = to_string(view.state);
  out["reason"] = to_utf8(mask_passwords(view.reason));
  out["since"] = nullptr;
  if (view.since) out["since"] = moment.before(*view.since);
  out["serves"] = view.eligible;
  out["slot"] = nullptr;
  if (peer.spec.slot >= 0) out["slot"] = peer.spec.slot;
  out["backup"] = peer.spec.backup;
  out["weight"] = peer.spec.weight;
  out["in_flight"] = view.in_flight;
  out["requests"] = tally.requests;
  put(out, pace_of(known, tally));
  out["retries"] = retries;
  out["ejections"] = lately(tally.ejections, points,
                            [](const PeerPoint& p) { return std::uint64_t{p.ejections}; });
  out["share"] = nullptr;
  out["check"] = last_check_json(view.checked);
  out["set"] = set_json(moment.source, pool, peer.spec);
  return out;
}

// The share of each peer of what is bound to one, and which one has too much: over half, and half
// as much again as its weight would give it among those in use: backups only where nothing else
// serves.
json::value crowded(const proxy::PoolNode& node, PeerSum& sum) {
  constexpr std::uint64_t kLeast = 20;  // fewer requests than these say nothing
  if (sum.all_bound == 0) return nullptr;
  const auto serves = [](const json::value& peer) { return peer.at("serves").get_bool(); };
  const auto is_backup = [](const json::value& peer) { return peer.at("backup").get_bool(); };
  const bool backups =
      std::none_of(sum.peers.begin(), sum.peers.end(),
                   [&](const json::value& peer) { return serves(peer) && !is_backup(peer); });
  const auto is_used = [&](const json::value& peer) {
    return serves(peer) && is_backup(peer) == backups;
  };
  double weights = 0;
  std::map<std::string_view, double> weight_of;  // by address: it may stand there twice
  const auto& peers = node.pool->peers();
  for (std::size_t i = 0; i < peers.size(); ++i) {
    if (!is_used(sum.peers[i])) continue;
    weights += peers[i]->spec.weight;
    weight_of[peers[i]->text] += peers[i]->spec.weight;
  }
  json::value found = nullptr;
  for (std::size_t i = 0; i < sum.peers.size(); ++i) {
    auto& peer = sum.peers[i];
    const auto share = static_cast<double>(sum.bound[i]) / static_cast<double>(sum.all_bound);
    peer.get_object()["share"] = rounded(share);
    if (sum.all_bound < kLeast || !is_used(peer)) continue;
    const auto fair = weight_of[peers[i]->text] / std::max(weights, 1.0);
    if (fair < 1 && share > 0.5 && share > 1.5 * fair) {
      found = to_utf8(peers[i]->text);
    }
  }
  return found;
}

// Without what changes with each reading.
json::value registry_part(const Source& source, const std::string& upstream) {
  auto whole = registry_json(source, upstream);
  if (auto* registry = whole.if_object()) {
    registry->erase("stale_for");
    registry->erase("reads");
    if (auto& since = registry->at("stale_since"); since.is_double()) {
      since = static_cast<std::int64_t>(since.get_double());
    }
  }
  return whole;
}

json::object pool_json(const Moment& moment, const proxy::PoolNode& node) {
  const auto& pool = *node.pool;
  const auto* history = moment.source.history;
  const auto* known = history != nullptr ? history->pool(pool.name()) : nullptr;
  PeerSum sum;
  if (known != nullptr) sum.tally = known->sum.total();
  sum.tally.at = moment.now;
  for (std::size_t i = 0; i < pool.peers().size(); ++i) {
    sum.peers.push_back(peer_json(moment, node, i, sum));
  }
  json::object out;
  out["name"] = to_utf8(pool.name());
  out["balance"] = config::to_string(pool.balance());
  out["sticky"] = node.config != nullptr && node.config->sticky.has_value();
  out["checked"] = node.config != nullptr && !node.config->health_checks.empty();
  out["live"] = pool.live(moment.now);
  out["queued"] = node.queue != nullptr ? node.queue->size() : 0;
  out["set"] = set_json(moment.source, pool);
  out["registry"] = registry_part(moment.source, pool.name());
  out["in_flight"] = sum.in_flight;
  out["retries"] = sum.retries;
  put(out, pace_of(known, sum.tally));
  out["crowded"] = crowded(node, sum);
  out["peers"] = std::move(sum.peers);
  return out;
}

json::array names_json(const Moment& moment) {
  json::array out;
  if (!moment.source.names) return out;
  for (const auto& name : moment.source.names()) {
    json::array addresses;
    for (const auto& address : name.addresses) addresses.emplace_back(address.host_text());
    // A look-up each 5 s is no news; since when there was none is.
    json::value found = nullptr;
    if (name.found_at && !name.error.empty()) found = moment.before(moment.now - *name.found_at);
    out.push_back(json::object{{"name", to_utf8(name.host)},
                               {"addresses", std::move(addresses)},
                               {"error", to_utf8(name.error)},
                               {"found_at", std::move(found)}});
  }
  return out;
}

json::array workers_json(const Source& source) {
  json::array out;
  if (!source.workers) return out;
  for (const auto* stats : source.workers()) {
    WorkerTotals one;
    one.add(*stats);
    out.push_back(json::object{{"active", one.active - std::min(one.active, one.tunnels)},
                               {"idle", one.idle},
                               {"tunnels", one.tunnels}});
  }
  return out;
}

json::object weir_json(const Moment& moment, const proxy::Runtime* runtime) {
  const auto& source = moment.source;
  json::object out;
  out["version"] = source.version;
  out["started"] = unix_time(source.started);
  out["draining"] = source.is_draining();
  out["certificates"] = has_page("/certificates");
  out["can_change"] = source.token && !source.token().empty();
  if (source.reloads) {
    const auto reloads = source.reloads();
    out["reload"] = json::object{{"generation", reloads.generation},
                                 {"ok", reloads.last_ok},
                                 {"at", unix_time(reloads.last_at)},
                                 {"error", to_utf8(mask_passwords(reloads.last_error))},
                                 {"failed", reloads.failed}};
  }
  if (runtime != nullptr) {
    const auto* history = source.history;
    put(out, history != nullptr ? history->weir().pace(history->tally_weir(*runtime, moment.now))
                                : Pace{});
  }
  out["workers"] = workers_json(source);
  const auto usage = process_usage();
  out["open_fds"] = usage.open_fds.value_or(0);
  out["max_fds"] = usage.max_fds.value_or(0);
  // In MiB: what is less is noise.
  out["memory"] = usage.resident_bytes.value_or(0) >> 20;
  return out;
}

}  // namespace

json::object snapshot(const Source& source) {
  const Moment moment{source, source.clock->now(), source.clock->wall()};
  const auto runtime = source.present();
  json::array pools;
  if (runtime != nullptr) {
    for (const auto& node : runtime->pools) pools.push_back(pool_json(moment, node));
  }
  return {{"weir", weir_json(moment, runtime.get())},
          {"names", names_json(moment)},
          {"pools", std::move(pools)}};
}

}  // namespace weir::admin
