// What an attempt that has ended adds to the counters of its peer. Worker thread.
#pragma once

#include "proxy/exchange_types.h"
#include "proxy/stats.h"

namespace weir::proxy {

// `again`: another attempt follows it. Gives the record the status that stands for its error.
inline void count_attempt(PeerStats& stats, AttemptRecord& record, upstream::Outcome outcome,
                          bool again) {
  const auto kind = record.retry != nullptr ? kChoiceRetry
                    : record.skipped != upstream::Closed::no
                        ? kChoiceSkip
                        : static_cast<std::size_t>(record.reason);
  stats.choices[kind].add();
  const auto status_class = static_cast<std::size_t>(record.error.ok() ? record.status / 100 : 0);
  stats.by_class[status_class < stats.by_class.size() ? status_class : 0].add();
  stats.bytes_in.add(record.received);
  stats.bytes_out.add(record.sent);
  if (record.response.count() >= 0) stats.duration.observe(record.response);
  if (record.header.count() >= 0) stats.first_byte.observe(record.header);
  if (outcome == upstream::Outcome::failure) stats.failures.add();
  if (again) stats.retries.add();
  const bool connecting =
      record.error.what == Errc::connect_failed || record.error.what == Errc::connect_timed_out ||
      record.error.what == Errc::peer_tls_failed || record.error.what == Errc::peer_untrusted;
  if (connecting) stats.connect_failures.add();
  if (!record.error.ok()) stats.errors[static_cast<std::size_t>(record.error.what)].add();
  if (!record.error.ok() && record.status == 0) {
    record.status = static_cast<std::uint16_t>(info(record.error.what).status);
  }
}

}  // namespace weir::proxy
