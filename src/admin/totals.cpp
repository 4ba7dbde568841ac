#include "admin/totals.h"

namespace weir::admin {

void HistogramTotals::add(const proxy::Histogram& from) {
  for (std::size_t i = 0; i < buckets.size(); ++i) buckets[i] += from.buckets[i].get();
  sum_ms += from.sum_ms.get();
}

void LocationTotals::add(const proxy::LocationStats& from) {
  for (std::size_t i = 0; i < by_class.size(); ++i) by_class[i] += from.by_class[i].get();
  duration.add(from.duration);
}

void TrafficTotals::add(const proxy::TrafficStats& from) {
  LocationTotals::add(from);
  bytes_in += from.bytes_in.get();
  bytes_out += from.bytes_out.get();
}

void StreamTotals::add(const proxy::StreamStats& from) {
  for (std::size_t i = 0; i < by_class.size(); ++i) {
    by_class[i] += from.by_class[i].get();
    ended += from.by_class[i].get();
  }
  // Whatever ends has begun before.
  begun += from.begun.get();
  bytes_in += from.bytes_in.get();
  bytes_out += from.bytes_out.get();
}

void PeerTotals::add(const proxy::PeerStats& from) {
  TrafficTotals::add(from);
  connects += from.connects.get();
  reused += from.reused.get();
  connect_failures += from.connect_failures.get();
  failures += from.failures.get();
  retries += from.retries.get();
  stale += from.stale.get();
  first_byte.add(from.first_byte);
  connect.add(from.connect);
}

void QueueTotals::add(const proxy::QueueStats& from) {
  waited.add(from.waited);
  full += from.full.get();
  unserved += from.unserved.get();
}

void WorkerTotals::add(const proxy::WorkerStats& from) {
  accepted += from.accepted.get();
  active += from.active.get();
  idle += from.idle_client.get();
  tunnels += from.tunnels.get();
  bad_requests += from.bad_requests.get();
  client_aborts += from.client_aborts.get();
  log_lost += from.log_lost.get();
  log_left_out += from.log_left_out.get();
  fd_exhausted += from.fd_exhausted.get();
  retries_denied += from.retries_denied.get();
  tls_full += from.tls_full.get();
  tls_resumed += from.tls_resumed.get();
  tls_failed += from.tls_failed.get();
  requests_delayed += from.requests_delayed.get();
  requests_refused += from.requests_refused.get();
  connections_refused += from.connections_refused.get();
  for (std::size_t cause = 0; cause < ends.size(); ++cause) {
    for (std::size_t phase = 0; phase < ends[cause].size(); ++phase) {
      ends[cause][phase] += from.ends[cause][phase].get();
    }
  }
  const auto closed = from.http2_closed.get();  // first: it is never more than the other
  http2_accepted += from.http2_connections.get();
  http2_connections += from.http2_connections.get() - closed;
  http2_requests += from.http2_requests.get();
  for (std::size_t i = 0; i < http2_floods.size(); ++i) {
    http2_floods[i] += from.http2_floods[i].get();
  }
}

}  // namespace weir::admin
