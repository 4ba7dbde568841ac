#include "admin/history.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "admin/peer_view.h"

namespace weir::admin {
namespace {

constexpr float kNothing = std::numeric_limits<float>::quiet_NaN();
constexpr std::size_t kRecent = 7;  // 30 s, and a sample

// What the failures of a peer are for those who look: answers of 5xx, and none at all. That a
// kept-alive connection had died is none.
std::uint64_t errors_of(const PeerTotals& totals) {
  const auto none = totals.by_class[0];
  return totals.by_class[5] + none - std::min(none, totals.stale);
}

std::uint64_t sum(const TrafficTotals& totals) {
  std::uint64_t all = 0;
  for (const auto count : totals.by_class) all += count;
  return all;
}

// Counters begin anew where an address comes back after a time.
std::uint64_t grown(std::uint64_t before, std::uint64_t now) {
  return now > before ? now - before : 0;
}

double seconds_between(const Tally& before, const Tally& now) {
  return std::max(static_cast<double>((now.at - before.at).count()) / 1000, 0.001);
}

float per_second(std::uint64_t before, std::uint64_t now, double seconds) {
  return static_cast<float>(static_cast<double>(grown(before, now)) / seconds);
}

float or_nothing(const std::optional<double>& value) {
  return value ? static_cast<float>(*value) : kNothing;
}

template <class Points, class OnePoint>
void push(Points& points, OnePoint point) {
  points.reserve(History::kPoints);
  if (points.size() >= History::kPoints) points.erase(points.begin());
  points.push_back(point);
}

void remember(History::Track& track, const Tally& now) {
  track.recent.push_back(now);
  if (track.recent.size() > kRecent) track.recent.pop_front();
}

// The line from the last sample to this one.
Point point_of(const History::Track& track, const Tally& now, double in_flight) {
  Point point{kNothing, kNothing, kNothing, kNothing, static_cast<float>(in_flight)};
  if (track.recent.empty()) return point;
  const auto& before = track.recent.back();
  const auto seconds = seconds_between(before, now);
  point.per_second = per_second(before.requests, now.requests, seconds);
  point.errors_per_second = per_second(before.errors, now.errors, seconds);
  point.p50 = or_nothing(percentile(before.latency, now.latency, 0.5));
  point.p99 = or_nothing(percentile(before.latency, now.latency, 0.99));
  return point;
}

std::uint64_t clients_of(const Source& source) {
  WorkerTotals totals;
  if (source.workers) {
    for (const auto* worker : source.workers()) totals.add(*worker);
  }
  return totals.active + totals.idle;
}

// All requests of its clients.
Tally tally_server(const proxy::PerWorker<proxy::TrafficStats>& stats, TimePoint now) {
  TrafficTotals totals;
  add_all(totals, stats);
  Tally tally;
  tally.at = now;
  tally.requests = sum(totals);
  tally.errors = totals.by_class[5];  // clients that went away are nobody's fault
  tally.latency = totals.duration;
  return tally;
}

}  // namespace

void Tally::add(const Tally& other) {
  at = other.at;
  requests += other.requests;
  errors += other.errors;
  retries += other.retries;
  bound += other.bound;
  ejections += other.ejections;
  for (std::size_t i = 0; i < latency.buckets.size(); ++i) {
    latency.buckets[i] += other.latency.buckets[i];
  }
  latency.sum_ms += other.latency.sum_ms;
}

Tally Tally::grown_since(const Tally& before) const {
  Tally growth;
  growth.at = at;
  growth.requests = grown(before.requests, requests);
  growth.errors = grown(before.errors, errors);
  growth.retries = grown(before.retries, retries);
  growth.bound = grown(before.bound, bound);
  growth.ejections = grown(before.ejections, ejections);
  for (std::size_t i = 0; i < latency.buckets.size(); ++i) {
    growth.latency.buckets[i] = grown(before.latency.buckets[i], latency.buckets[i]);
  }
  growth.latency.sum_ms = grown(before.latency.sum_ms, latency.sum_ms);
  return growth;
}

Tally tally_peer(const proxy::PoolNode& node, std::size_t index, TimePoint now) {
  PeerTotals totals;
  add_all(totals, *node.stats[index]);
  Tally tally;
  tally.at = now;
  tally.requests = sum(totals);
  tally.errors = errors_of(totals);
  tally.retries = totals.retries;
  for (const auto& worker : node.stats[index]->all()) {
    for (const auto reason : {upstream::Reason::hash, upstream::Reason::sticky}) {
      tally.bound += worker->choices[static_cast<std::size_t>(reason)].get();
    }
  }
  tally.ejections = node.pool->peers()[index]->ejections.load(std::memory_order_relaxed);
  tally.latency = totals.first_byte;
  return tally;
}

std::optional<double> percentile(const HistogramTotals& before, const HistogramTotals& now,
                                 double share) {
  constexpr auto& bounds = proxy::Histogram::kBounds;
  std::array<double, bounds.size() + 1> counts{};
  double all = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    counts[i] = static_cast<double>(grown(before.buckets[i], now.buckets[i]));
    all += counts[i];
  }
  if (all == 0) return std::nullopt;
  double left = share * all;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    if (left <= counts[i] && counts[i] > 0) {
      const auto low = static_cast<double>(i == 0 ? 0 : bounds[i - 1]);
      return low + (static_cast<double>(bounds[i]) - low) * left / counts[i];
    }
    left -= counts[i];
  }
  return static_cast<double>(bounds.back());
}

Pace History::Track::pace(const Tally& now) const {
  Pace pace;
  if (recent.empty()) return pace;
  const auto& near = recent[recent.size() - std::min<std::size_t>(recent.size(), 2)];
  pace.per_second = static_cast<double>(grown(near.requests, now.requests)) /
                    std::max(seconds_between(near, now), 1.0);
  const auto& far = recent.front();
  const auto requests = grown(far.requests, now.requests);
  if (requests > 0) {
    pace.errors =
        static_cast<double>(grown(far.errors, now.errors)) / static_cast<double>(requests);
  }
  pace.p50 = percentile(far.latency, now.latency, 0.5);
  pace.p95 = percentile(far.latency, now.latency, 0.95);
  pace.p99 = percentile(far.latency, now.latency, 0.99);
  return pace;
}

void History::sample(const Source& source) {
  const auto runtime = source.present();
  if (runtime == nullptr) return;
  const TimePoint now = source.clock->now();
  std::map<ServerStats, Tally, std::less<>> servers;  // some may share their counters
  for (const auto& stats : runtime->server_stats) servers[stats] = tally_server(*stats, now);
  servers_.take(std::move(servers), now);
  const auto& all = servers_.total();
  push(weir_.points, point_of(weir_, all, static_cast<double>(clients_of(source))));
  remember(weir_, all);
  std::set<std::string> present;
  for (const auto& node : runtime->pools) {
    present.insert(node.pool->name());
    sample_pool(source, node, now);
  }
  std::erase_if(pools_, [&](const auto& entry) {
    if (present.contains(entry.first)) return false;
    peers_ -= entry.second.peers.size();
    return true;
  });
  last_at_ = source.clock->wall();
}

void History::sample_pool(const Source& source, const proxy::PoolNode& node, TimePoint now) {
  auto& pool = pools_[node.pool->name()];
  double in_flight = 0;
  std::map<std::string, Tally, std::less<>> present;
  for (std::size_t i = 0; i < node.pool->peers().size(); ++i) {
    const auto& address = node.pool->peers()[i]->text;
    const auto view = view_peer(source, *node.pool, i, now);
    in_flight += view.in_flight;
    const auto tally = tally_peer(node, i, now);
    if (!present.emplace(address, tally).second) continue;  // its counters are those of the first
    auto found = pool.peers.find(address);
    if (found == pool.peers.end()) {
      if (peers_ >= kMostPeers) continue;
      ++peers_;
      found = pool.peers.try_emplace(address).first;
    }
    auto& peer = found->second;
    const auto point = point_of(peer, tally, 0);
    push(peer.points, PeerPoint{point.per_second, point.errors_per_second, tally.retries,
                                tally.bound, static_cast<std::uint32_t>(tally.ejections),
                                static_cast<std::uint8_t>(view.state)});
    remember(peer, tally);
  }
  const auto gone =
      std::erase_if(pool.peers, [&](const auto& entry) { return !present.contains(entry.first); });
  peers_ -= gone;
  pool.sum.take(std::move(present), now);
  const auto& all = pool.sum.total();
  push(pool.points, point_of(pool, all, in_flight));
  remember(pool, all);
}

Tally History::tally_weir(const proxy::Runtime& runtime, TimePoint now) const {
  Tally all = servers_.total();
  all.at = now;
  std::set<const void*> seen;
  for (const auto& stats : runtime.server_stats) {
    if (!seen.insert(stats.get()).second) continue;
    all.add(servers_.since_last(ServerStats(stats), tally_server(*stats, now)));
  }
  return all;
}

const History::Pool* History::pool(std::string_view name) const {
  const auto found = pools_.find(name);
  return found == pools_.end() ? nullptr : &found->second;
}

const History::Peer* History::peer(std::string_view pool_name, std::string_view address) const {
  const auto* found = pool(pool_name);
  if (found == nullptr) return nullptr;
  const auto peer = found->peers.find(address);
  return peer == found->peers.end() ? nullptr : &peer->second;
}

}  // namespace weir::admin
