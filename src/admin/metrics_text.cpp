#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <set>
#include <sstream>
#include <utility>

#include "admin/pages.h"
#include "admin/peer_view.h"
#include "admin/process.h"
#include "admin/totals.h"
#include "admin/utf8.h"

namespace weir::admin {
namespace {

using Labels = std::vector<prometheus::ClientMetric::Label>;

prometheus::MetricType type_of(MetricKind kind) {
  switch (kind) {
    case MetricKind::counter:
      return prometheus::MetricType::Counter;
    case MetricKind::gauge:
      return prometheus::MetricType::Gauge;
    case MetricKind::histogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

double seconds(std::int64_t ms) { return static_cast<double>(ms) / 1000; }
double seconds(WallTime time) { return seconds(time.time_since_epoch().count()); }

// The families of the table, to be filled with samples.
class Sheet {
 public:
  Sheet() {
    for (const auto& row : metric_table()) {
      families_.push_back(
          {.name = row.name, .help = row.help, .type = type_of(row.kind), .metric = {}});
    }
  }

  template <class Number>
  void add(Metric metric, Number number, Labels labels = {}) {
    const auto value = static_cast<double>(number);
    auto& sample = next(metric, std::move(labels));
    if (info(metric).kind == MetricKind::counter) {
      sample.counter.value = value;
    } else {
      sample.gauge.value = value;
    }
  }

  void add(Metric metric, const HistogramTotals& totals, Labels labels) {
    auto& histogram = next(metric, std::move(labels)).histogram;
    for (std::size_t i = 0; i < totals.buckets.size(); ++i) {
      histogram.sample_count += totals.buckets[i];
      const double bound = i < proxy::Histogram::kBounds.size()
                               ? seconds(proxy::Histogram::kBounds[i])
                               : std::numeric_limits<double>::infinity();
      histogram.bucket.push_back({histogram.sample_count, bound});
    }
    histogram.sample_sum = seconds(static_cast<std::int64_t>(totals.sum_ms));
  }

  void add_classes(Metric metric, const TrafficTotals& totals, const Labels& labels) {
    for (std::size_t i = 0; i < totals.by_class.size(); ++i) {
      Labels with_code = labels;
      with_code.push_back({"code", kClassNames[i]});
      add(metric, totals.by_class[i], std::move(with_code));
    }
  }

  [[nodiscard]] std::string text() const {
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, families_);
    return std::move(out).str();
  }

 private:
  static const MetricInfo& info(Metric metric) {
    return metric_table()[static_cast<std::size_t>(metric)];
  }
  prometheus::ClientMetric& next(Metric metric, Labels labels) {
    auto& samples = families_[static_cast<std::size_t>(metric)].metric;
    samples.emplace_back().label = std::move(labels);
    return samples.back();
  }

  std::vector<prometheus::MetricFamily> families_;
};

void add_engine(Sheet& sheet, const Source& source) {
  sheet.add(Metric::build_info, 1, {{"version", to_utf8(source.version)}});
  sheet.add(Metric::start_time, seconds(source.started));
  if (source.reloads) {
    const auto reloads = source.reloads();
    sheet.add(Metric::config_generation, reloads.generation);
    sheet.add(Metric::reload_successful, reloads.last_ok ? 1 : 0);
    sheet.add(Metric::reload_time, seconds(reloads.last_at));
    sheet.add(Metric::reload_failures, reloads.failed);
  }
  if (source.log != nullptr) sheet.add(Metric::error_log_lost, source.log->lost());
}

void add_workers(Sheet& sheet, const Source& source) {
  WorkerTotals totals;
  if (source.workers) {
    for (const auto* worker : source.workers()) totals.add(*worker);
  }
  // A tunnel's request is still active. The two counters are not read at one moment.
  const auto active = totals.active - std::min(totals.active, totals.tunnels);
  sheet.add(Metric::accepted, totals.accepted);
  sheet.add(Metric::connections, active, {{"state", "active"}});
  sheet.add(Metric::connections, totals.idle, {{"state", "idle"}});
  sheet.add(Metric::connections, totals.tunnels, {{"state", "tunnel"}});
  sheet.add(Metric::bad_requests, totals.bad_requests);
  sheet.add(Metric::client_aborts, totals.client_aborts);
  sheet.add(Metric::access_log_lost, totals.log_lost);
  sheet.add(Metric::descriptor_exhaustion, totals.fd_exhausted);
  sheet.add(Metric::retries_denied, totals.retries_denied);
}

void add_servers(Sheet& sheet, const proxy::Runtime& runtime) {
  std::map<std::string, TrafficTotals> by_name;
  std::set<const void*> seen;  // servers of one name may share their counters
  for (std::size_t i = 0; i < runtime.server_stats.size(); ++i) {
    const auto& stats = runtime.server_stats[i];
    const auto& name = runtime.model->servers[i]->primary_name;
    auto& totals = by_name[name.empty() ? "_" : to_utf8(name)];
    if (seen.insert(stats.get()).second) add_all(totals, *stats);
  }
  for (const auto& [name, totals] : by_name) {
    const Labels labels = {{"server", name}};
    sheet.add_classes(Metric::requests, totals, labels);
    sheet.add(Metric::request_duration, totals.duration, labels);
    sheet.add(Metric::request_bytes, totals.bytes_in, labels);
    sheet.add(Metric::response_bytes, totals.bytes_out, labels);
  }
}

// A peer's series: of all peers of a pool that have its address.
struct PeerSample {
  PeerTotals totals;
  bool eligible = false;
  PeerState state = PeerState::unchecked;
  std::uint64_t in_flight = 0, checks = 0, ejections = 0;
  std::array<std::uint64_t, upstream::kFailureLayers.size()> checks_failed{};
};

void add_peer(Sheet& sheet, const PeerSample& peer, const Labels& labels, bool histograms) {
  const PeerTotals& totals = peer.totals;
  sheet.add_classes(Metric::upstream_requests, totals, labels);
  if (histograms) {
    sheet.add(Metric::upstream_duration, totals.duration, labels);
    sheet.add(Metric::upstream_first_byte, totals.first_byte, labels);
  }
  sheet.add(Metric::upstream_sent, totals.bytes_out, labels);
  sheet.add(Metric::upstream_received, totals.bytes_in, labels);
  sheet.add(Metric::upstream_connects, totals.connects, labels);
  sheet.add(Metric::upstream_connect_failures, totals.connect_failures, labels);
  sheet.add(Metric::upstream_reused, totals.reused, labels);
  sheet.add(Metric::upstream_stale, totals.stale, labels);
  sheet.add(Metric::upstream_failures, totals.failures, labels);
  sheet.add(Metric::upstream_retries, totals.retries, labels);
  sheet.add(Metric::peer_up, peer.eligible ? 1 : 0, labels);
  for (const PeerState state : kPeerStates) {
    Labels with_state = labels;
    with_state.push_back({"state", to_string(state)});
    sheet.add(Metric::peer_state, state == peer.state ? 1 : 0, std::move(with_state));
  }
  sheet.add(Metric::peer_in_flight, peer.in_flight, labels);
  sheet.add(Metric::ejections, peer.ejections, labels);
  sheet.add(Metric::checks, peer.checks, labels);
  for (std::size_t i = 0; i < peer.checks_failed.size(); ++i) {
    Labels with_layer = labels;
    with_layer.push_back({"layer", upstream::to_string(upstream::kFailureLayers[i])});
    sheet.add(Metric::checks_failed, peer.checks_failed[i], std::move(with_layer));
  }
}

// Only reasons that there were: most upstreams have two or three of them.
void add_choices(Sheet& sheet, const proxy::PoolNode& node, const std::string& name) {
  std::array<std::uint64_t, proxy::kChoiceKinds> counts{};
  std::set<const void*> seen;  // peers of one address share their counters
  for (const auto& peer : node.stats) {
    if (!seen.insert(peer.get()).second) continue;
    for (const auto& worker : peer->all()) {
      for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += worker->choices[i].get();
    }
  }
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    const char* reason = i == proxy::kChoiceRetry  ? "retry"
                         : i == proxy::kChoiceSkip ? "skip"
                                                   : to_string(static_cast<upstream::Reason>(i));
    sheet.add(Metric::choices, counts[i], {{"upstream", name}, {"reason", reason}});
  }
}

void add_pool(Sheet& sheet, const Source& source, const proxy::PoolNode& node, bool histograms) {
  const auto& pool = *node.pool;
  const TimePoint now = source.clock->now();
  const std::string name = to_utf8(pool.name());
  std::map<std::string, PeerSample> by_address;
  std::set<const void*> seen;  // peers of one address share their counters
  for (std::size_t i = 0; i < pool.peers().size(); ++i) {
    auto& sample = by_address[to_utf8(pool.peers()[i]->text)];
    if (seen.insert(node.stats[i].get()).second) add_all(sample.totals, *node.stats[i]);
    const auto view = view_peer(source, pool, i, now);
    // Of several, the state of one that gets requests.
    if (!sample.eligible) sample.state = view.state;
    sample.eligible = sample.eligible || view.eligible;
    sample.in_flight += view.in_flight;
    sample.ejections += pool.peers()[i]->ejections.load(std::memory_order_relaxed);
    if (view.machine != nullptr) {
      sample.checks += view.machine->checks();
      for (std::size_t layer = 0; layer < sample.checks_failed.size(); ++layer) {
        sample.checks_failed[layer] += view.machine->failed_checks(upstream::kFailureLayers[layer]);
      }
    }
  }
  for (const auto& [address, sample] : by_address) {
    add_peer(sheet, sample, {{"upstream", name}, {"peer", address}}, histograms);
  }
  sheet.add(Metric::live_peers, pool.live(now), {{"upstream", name}});
  sheet.add(Metric::queued, node.queue != nullptr ? node.queue->size() : 0, {{"upstream", name}});
  add_choices(sheet, node, name);
}

void add_registry(Sheet& sheet, const Source& source, const std::string& upstream) {
  const auto status = source.registry_of(upstream);
  if (!status) return;
  const Labels labels = {{"upstream", to_utf8(upstream)}};
  const auto age = status->stale_since ? source.clock->wall() - *status->stale_since : Duration{0};
  sheet.add(Metric::registry_fresh, status->fresh ? 1 : 0, labels);
  sheet.add(Metric::registry_stale, seconds(age.count()), labels);
  sheet.add(Metric::registry_nodes, status->serving, labels);
  sheet.add(Metric::registry_doubted, status->doubted ? 1 : 0, labels);
  sheet.add(Metric::registry_reads, status->reads, labels);
  sheet.add(Metric::registry_failures, status->failures, labels);
}

void add_process(Sheet& sheet) {
  const auto usage = process_usage();
  if (usage.open_fds) sheet.add(Metric::open_fds, *usage.open_fds);
  if (usage.max_fds) sheet.add(Metric::max_fds, *usage.max_fds);
  if (usage.resident_bytes) sheet.add(Metric::resident_memory, *usage.resident_bytes);
}

}  // namespace

std::string metrics_text(const Source& source) {
  Sheet sheet;
  add_engine(sheet, source);
  add_workers(sheet, source);
  if (const auto runtime = source.present()) {
    add_servers(sheet, *runtime);
    std::size_t peers = 0;
    for (const auto& node : runtime->pools) peers += node.pool->peers().size();
    for (const auto& node : runtime->pools) {
      add_pool(sheet, source, node, peers <= kMaxPeersWithHistograms);
      add_registry(sheet, source, node.pool->name());
    }
  }
  add_process(sheet);
  return sheet.text();
}

}  // namespace weir::admin
