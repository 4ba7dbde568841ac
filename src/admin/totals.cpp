#include "admin/totals.h"

namespace weir::admin {

void HistogramTotals::add(const proxy::Histogram& from) {
  for (std::size_t i = 0; i < buckets.size(); ++i) buckets[i] += from.buckets[i].get();
  sum_ms += from.sum_ms.get();
}

void TrafficTotals::add(const proxy::TrafficStats& from) {
  for (std::size_t i = 0; i < by_class.size(); ++i) by_class[i] += from.by_class[i].get();
  bytes_in += from.bytes_in.get();
  bytes_out += from.bytes_out.get();
  duration.add(from.duration);
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
}

void WorkerTotals::add(const proxy::WorkerStats& from) {
  accepted += from.accepted.get();
  active += from.active.get();
  idle += from.idle_client.get();
  tunnels += from.tunnels.get();
  bad_requests += from.bad_requests.get();
  client_aborts += from.client_aborts.get();
  log_lost += from.log_lost.get();
  fd_exhausted += from.fd_exhausted.get();
  retries_denied += from.retries_denied.get();
}

}  // namespace weir::admin
