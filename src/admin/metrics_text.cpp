#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "admin/pages.h"
#include "admin/peer_view.h"
#include "admin/process.h"
#include "admin/sheet.h"
#include "admin/totals.h"
#include "admin/utf8.h"
#include "proxy/trace_exporter.h"

namespace weir::admin {
namespace {

double seconds(std::int64_t ms) { return static_cast<double>(ms) / 1000; }
double seconds(WallTime time) { return seconds(time.time_since_epoch().count()); }

void add_engine(Sheet& sheet, const Source& source) {
  sheet.add(Metric::build_info, 1, {{"version", to_utf8(source.version)}});
  sheet.add(Metric::start_time, seconds(source.started));
  sheet.add(Metric::process_start, seconds(source.started));
  if (source.reloads) {
    const auto reloads = source.reloads();
    sheet.add(Metric::config_generation, reloads.generation);
    sheet.add(Metric::reload_successful, reloads.last_ok ? 1 : 0);
    sheet.add(Metric::reload_time, seconds(reloads.last_at));
    sheet.add(Metric::reload_failures, reloads.failed);
  }
  if (source.log != nullptr) sheet.add(Metric::error_log_lost, source.log->lost());
}

// Only those that there were.
void add_ends(Sheet& sheet, const WorkerTotals& totals) {
  for (std::size_t cause = 0; cause < totals.ends.size(); ++cause) {
    for (std::size_t phase = 0; phase < totals.ends[cause].size(); ++phase) {
      if (totals.ends[cause][phase] == 0) continue;
      const proxy::EndCode end{static_cast<proxy::EndCause>(cause),
                               static_cast<proxy::Phase>(phase)};
      const auto letters = end.letters();
      sheet.add(Metric::broken, totals.ends[cause][phase],
                {{"end_code", std::string(letters.data(), letters.size())}});
    }
  }
}

void add_workers(Sheet& sheet, const Source& source) {
  WorkerTotals totals;
  if (source.workers) {
    const auto workers = source.workers();
    for (const auto* worker : workers) totals.add(*worker);
    sheet.add(Metric::workers, workers.size());
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
  sheet.add(Metric::error_log_left_out, totals.log_left_out);
  sheet.add(Metric::descriptor_exhaustion, totals.fd_exhausted);
  sheet.add(Metric::retries_denied, totals.retries_denied);
  sheet.add(Metric::tls_handshakes, totals.tls_full, {{"result", "full"}});
  sheet.add(Metric::tls_handshakes, totals.tls_resumed, {{"result", "resumed"}});
  sheet.add(Metric::tls_handshakes, totals.tls_failed, {{"result", "failed"}});
  sheet.add(Metric::limited_requests, totals.requests_delayed, {{"result", "delayed"}});
  sheet.add(Metric::limited_requests, totals.requests_refused, {{"result", "refused"}});
  sheet.add(Metric::limited_connections, totals.connections_refused);
  sheet.add(Metric::http2_connections, totals.http2_connections);
  sheet.add(Metric::http2_accepted, totals.http2_accepted);
  sheet.add(Metric::http2_requests, totals.http2_requests);
  for (std::size_t i = 0; i < totals.http2_floods.size(); ++i) {
    const Labels cause = {{"cause", std::string(http::kNuisanceWords[i])}};
    sheet.add(Metric::http2_floods, totals.http2_floods[i], cause);
  }
  add_ends(sheet, totals);
}

void add_model(Sheet& sheet, const config::Model& model) {
  const bool nginx = model.dialect == config::Dialect::nginx;
  sheet.add(Metric::config_info, 1, {{"defaults", nginx ? "nginx" : "careful"}});
  sheet.add(Metric::config_servers, model.servers.size());
  sheet.add(Metric::config_upstreams, model.upstreams.size());
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

void add_streams(Sheet& sheet, const proxy::Runtime& runtime) {
  for (const auto& [text, listen] : runtime.stream_listens) {
    StreamTotals totals;
    add_all(totals, *listen.stats);
    const Labels labels = {{"listen", to_utf8(text)}};
    for (std::size_t i = 0; i < totals.by_class.size(); ++i) {
      sheet.add(Metric::stream_sessions, totals.by_class[i], labels.with("code", kClassNames[i]));
    }
    sheet.add(Metric::stream_active, totals.begun - std::min(totals.begun, totals.ended), labels);
    sheet.add(Metric::stream_bytes_in, totals.bytes_in, labels);
    sheet.add(Metric::stream_bytes_out, totals.bytes_out, labels);
  }
}

void add_locations(Sheet& sheet, const proxy::Runtime& runtime) {
  if (runtime.location_stats.size() > kMaxLocations) return;
  std::map<std::pair<std::string, std::string>, LocationTotals> by_name;
  std::set<const void*> seen;
  for (const auto& location : runtime.location_stats) {
    const auto& server = location.server->primary_name;
    auto& totals = by_name[{server.empty() ? "_" : to_utf8(server), to_utf8(location.location)}];
    if (seen.insert(location.stats.get()).second) add_all(totals, *location.stats);
  }
  for (const auto& [names, totals] : by_name) {
    const Labels labels = {{"server", names.first}, {"location", names.second}};
    sheet.add_classes(Metric::location_requests, totals, labels);
    sheet.add(Metric::location_duration, totals.duration, labels);
  }
}

// A peer's series: of all peers of a pool that have its address.
struct PeerSample {
  PeerTotals totals;
  bool eligible = false;
  PeerState state = PeerState::unchecked;
  std::uint64_t in_flight = 0, checks = 0, ejections = 0, went_up = 0, went_down = 0;
  std::array<std::uint64_t, upstream::kFailureLayers.size()> checks_failed{};
};

void add_peer(Sheet& sheet, const PeerSample& peer, const Labels& labels, bool histograms) {
  const PeerTotals& totals = peer.totals;
  sheet.add_classes(Metric::upstream_requests, totals, labels);
  if (histograms) {
    sheet.add(Metric::upstream_duration, totals.duration, labels);
    sheet.add(Metric::upstream_first_byte, totals.first_byte, labels);
    sheet.add(Metric::upstream_connect_time, totals.connect, labels);
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
    sheet.add(Metric::peer_state, state == peer.state ? 1 : 0,
              labels.with("state", to_string(state)));
  }
  sheet.add(Metric::peer_in_flight, peer.in_flight, labels);
  sheet.add(Metric::health_transitions, peer.went_up, labels.with("to", "up"));
  sheet.add(Metric::health_transitions, peer.went_down, labels.with("to", "down"));
  sheet.add(Metric::ejections, peer.ejections, labels);
  sheet.add(Metric::checks, peer.checks, labels);
  for (std::size_t i = 0; i < peer.checks_failed.size(); ++i) {
    sheet.add(Metric::checks_failed, peer.checks_failed[i],
              labels.with("layer", upstream::to_string(upstream::kFailureLayers[i])));
  }
}

// What is told by upstream alone: by peer it would be too many series.
struct ReasonTotals {
  std::array<std::uint64_t, proxy::kChoiceKinds> choices{};
  std::array<std::uint64_t, proxy::kErrors> errors{};
  std::array<std::uint64_t, proxy::kRetryCauses.size()> retries{};

  explicit ReasonTotals(const proxy::PoolNode& node) {
    std::set<const void*> seen;  // peers of one address share their counters
    for (const auto& peer : node.stats) {
      if (!seen.insert(peer.get()).second) continue;
      for (const auto& worker : peer->all()) {
        add(choices, worker->choices);
        add(errors, worker->errors);
        add(retries, worker->retry_causes);
      }
    }
  }
  template <std::size_t N>
  static void add(std::array<std::uint64_t, N>& to, const std::array<proxy::Counter, N>& from) {
    for (std::size_t i = 0; i < N; ++i) to[i] += from[i].get();
  }
};

// Only reasons that there were: most upstreams have two or three of them.
void add_reasons(Sheet& sheet, const proxy::PoolNode& node, const std::string& name) {
  const ReasonTotals totals(node);
  const auto add = [&](Metric metric, const auto& counts, const char* label, const auto& name_of) {
    for (std::size_t i = 0; i < counts.size(); ++i) {
      if (counts[i] == 0) continue;
      sheet.add(metric, counts[i], {{"upstream", name}, {label, std::string(name_of(i))}});
    }
  };
  add(Metric::choices, totals.choices, "reason", [](std::size_t i) {
    return i == proxy::kChoiceRetry  ? "retry"
           : i == proxy::kChoiceSkip ? "skip"
                                     : to_string(static_cast<upstream::Reason>(i));
  });
  add(Metric::upstream_errors, totals.errors, "error",
      [](std::size_t i) { return info(static_cast<Errc>(i)).name; });
  add(Metric::retry_reasons, totals.retries, "reason",
      [](std::size_t i) { return proxy::kRetryCauses[i]; });
}

void add_queue(Sheet& sheet, const proxy::PoolNode& node, const std::string& name) {
  const Labels labels = {{"upstream", name}};
  sheet.add(Metric::queued, node.queue != nullptr ? node.queue->size() : 0, labels);
  QueueTotals totals;
  if (node.queue_stats != nullptr) add_all(totals, *node.queue_stats);
  sheet.add(Metric::queue_time, totals.waited, labels);
  sheet.add(Metric::queue_full, totals.full, labels);
  sheet.add(Metric::queue_unserved, totals.unserved, labels);
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
    if (view.checked != nullptr) {
      sample.checks += view.checked->checks();
      sample.went_up += view.checked->transitions(upstream::Health::up);
      sample.went_down += view.checked->transitions(upstream::Health::down);
      for (std::size_t layer = 0; layer < sample.checks_failed.size(); ++layer) {
        sample.checks_failed[layer] += view.checked->failed_checks(upstream::kFailureLayers[layer]);
      }
    }
  }
  for (const auto& [address, sample] : by_address) {
    add_peer(sheet, sample, {{"upstream", name}, {"peer", address}}, histograms);
  }
  sheet.add(Metric::live_peers, pool.live(now), {{"upstream", name}});
  sheet.add(Metric::peers, by_address.size(), {{"upstream", name}});
  add_queue(sheet, node, name);
  add_reasons(sheet, node, name);
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
  sheet.add(Metric::registry_events, status->events_error.empty() ? 1 : 0, labels);
  sheet.add(Metric::registry_reads, status->reads, labels);
  sheet.add(Metric::registry_failures, status->failures, labels);
}

void add_names(Sheet& sheet, const Source& source) {
  const auto counts = source.name_counts ? source.name_counts() : discovery::Names::Counts{};
  sheet.add(Metric::names_watched, counts.watched);
  sheet.add(Metric::names_failing, counts.failing);
  sheet.add(Metric::names_unresolved, counts.unresolved);
}

void add_traces(Sheet& sheet, const proxy::TraceCounts* counts) {
  const auto of = [&](std::atomic<std::uint64_t> proxy::TraceCounts::*count) {
    return counts != nullptr ? (counts->*count).load(std::memory_order_relaxed) : 0;
  };
  using Counts = proxy::TraceCounts;
  sheet.add(Metric::spans_sent, of(&Counts::sent));
  sheet.add(Metric::spans_dropped, of(&Counts::dropped), {{"reason", "full"}});
  sheet.add(Metric::spans_dropped, of(&Counts::failed), {{"reason", "failed"}});
}

void add_certificates(Sheet& sheet, const Source& source, const config::Model& model) {
  std::set<std::string> seen;
  for (const auto& certificate : model.certificates) {
    if (certificate.path == "data:") continue;
    const auto& facts = certificate.facts;
    const Labels labels = {{"certificate", to_utf8(certificate.path)},
                           {"name", to_utf8(facts.names.empty() ? facts.subject : facts.names[0])}};
    if (!seen.insert(certificate.path).second) continue;  // with another key, elsewhere
    sheet.add(Metric::certificate_expiry, facts.not_after, labels);
    sheet.add(Metric::certificate_stale, source.certificate_problem(certificate).empty() ? 0 : 1,
              labels);
  }
}

void add_orders(Sheet& sheet, const Source& source) {
  if (!source.orders) return;
  for (const auto& order : source.orders()) {
    sheet.add(Metric::acme_failing, order.error.empty() ? 0 : 1,
              {{"certificate", to_utf8(order.path)}, {"issuer", to_utf8(order.issuer)}});
  }
}

void add_staples(Sheet& sheet, const config::Model& model) {
  for (const auto& ask : model.staples) {
    if (staple_of(model, ask.path) != ask.asked.get()) continue;  // asked in another way as well
    sheet.add(Metric::ocsp_failing, ask.asked->progress.error.empty() ? 0 : 1,
              {{"certificate", to_utf8(ask.path)}});
  }
}

void add_process(Sheet& sheet) {
  const auto usage = process_usage();
  if (usage.cpu_seconds) sheet.add(Metric::cpu, *usage.cpu_seconds);
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
    add_model(sheet, *runtime->model);
    add_servers(sheet, *runtime);
    add_streams(sheet, *runtime);
    add_locations(sheet, *runtime);
    add_certificates(sheet, source, *runtime->model);
    add_staples(sheet, *runtime->model);
    std::size_t peers = 0;
    for (const auto& node : runtime->pools) peers += node.pool->peers().size();
    for (const auto& node : runtime->pools) {
      add_pool(sheet, source, node, peers <= kMaxPeersWithHistograms);
      add_registry(sheet, source, node.pool->name());
    }
  }
  const auto runtime_now = source.present();
  add_traces(sheet, runtime_now != nullptr ? runtime_now->trace_counts.get() : nullptr);
  add_names(sheet, source);
  add_orders(sheet, source);
  add_process(sheet);
  return sheet.text();
}

}  // namespace weir::admin
