// Counters of all workers added up. Values; any thread.
#pragma once

#include <array>
#include <cstdint>

#include "proxy/runtime.h"
#include "proxy/stats.h"

namespace weir::admin {

// By proxy::TrafficStats::by_class.
inline constexpr std::array<const char*, 6> kClassNames = {"none", "1xx", "2xx",
                                                           "3xx",  "4xx", "5xx"};

struct HistogramTotals {
  std::array<std::uint64_t, proxy::Histogram::kBounds.size() + 1> buckets{};
  std::uint64_t sum_ms = 0;

  void add(const proxy::Histogram& from);
};

struct LocationTotals {
  std::array<std::uint64_t, kClassNames.size()> by_class{};
  HistogramTotals duration;

  void add(const proxy::LocationStats& from);
};

struct TrafficTotals : LocationTotals {
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;

  void add(const proxy::TrafficStats& from);
};

struct StreamTotals {
  std::uint64_t begun = 0, ended = 0, bytes_in = 0, bytes_out = 0;
  std::array<std::uint64_t, kClassNames.size()> by_class{};

  void add(const proxy::StreamStats& from);
};

struct PeerTotals : TrafficTotals {
  std::uint64_t connects = 0, reused = 0, connect_failures = 0, failures = 0, retries = 0,
                stale = 0;
  HistogramTotals first_byte, connect;

  void add(const proxy::PeerStats& from);
};

struct QueueTotals {
  HistogramTotals waited;
  std::uint64_t full = 0, unserved = 0;

  void add(const proxy::QueueStats& from);
};

struct WorkerTotals {
  std::uint64_t accepted = 0, active = 0, idle = 0, tunnels = 0, bad_requests = 0,
                client_aborts = 0, log_lost = 0, fd_exhausted = 0, retries_denied = 0,
                log_left_out = 0, tls_full = 0, tls_resumed = 0, tls_failed = 0,
                requests_delayed = 0, requests_refused = 0, connections_refused = 0;
  std::uint64_t http2_connections = 0;  // open
  std::uint64_t http2_accepted = 0, http2_requests = 0;
  std::array<std::uint64_t, http::kNuisances> http2_floods{};
  std::array<std::array<std::uint64_t, proxy::kPhases.size()>, proxy::kEndCauses.size()> ends{};

  void add(const proxy::WorkerStats& from);
};

// `totals` grows by every worker's copy.
template <class Totals, class Stats>
void add_all(Totals& totals, const proxy::PerWorker<Stats>& stats) {
  for (const auto& copy : stats.all()) totals.add(*copy);
}

}  // namespace weir::admin
