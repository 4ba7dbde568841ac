// Counters of a resolver: what was asked of it, and how servers answered; the names are those of
// nginx's resolver zones. Written by the resolver's thread with plain stores, read by any.
#pragma once

#include <atomic>
#include <cstdint>

namespace weir::net {

struct ResolverStats {
  using Count = std::atomic<std::uint64_t>;

  Count names{0};      // callers that asked for addresses
  Count services{0};   // callers that asked for services
  Count cached{0};     // of these, answered without waiting
  Count timed_out{0};  // callers whose deadline passed

  Count queries{0};  // sent, repeated ones too
  Count noerror{0};
  Count formerr{0};
  Count servfail{0};
  Count nxdomain{0};
  Count notimp{0};
  Count refused{0};
  Count unknown{0};  // other codes
  Count useless{0};  // messages that answered no question, or made no sense

  static void count(Count& counter) {
    counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
};

}  // namespace weir::net
