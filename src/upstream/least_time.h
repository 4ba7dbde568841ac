// nginx's least_time: the peer that will be through with its requests soonest, by how long its
// answers took and how many it works at. The accounts are in Peer. Used under the pool lock only.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "config/upstream_config.h"
#include "upstream/peer_list.h"

namespace weir::upstream {

// How long an attempt took, from the choice of the peer on.
struct AttemptTimes {
  Duration header{-1};  // to the end of the answer's head; -1: there was none
  Duration response{0};
  // It succeeded and its answer was passed on: the times of others say nothing of the peer.
  bool counts = false;
};

class LeastTime {
 public:
  // Of another method: nothing of it may be called but counts_inflight(), which is false.
  explicit LeastTime(config::Balance balance);
  [[nodiscard]] bool counts_inflight() const { return inflight_; }

  PeerSlot* choose(PeerList& list, TriedSet& tried, TimePoint now) const;
  // Whether `a` will be through sooner, by its weight. `seconds`: whole ones of the clock.
  [[nodiscard]] bool is_sooner(const PeerSlot& a, const PeerSlot& b, std::int64_t seconds) const;

  // An attempt among those in progress: its beginning; empty: it does not count among them.
  using Start = std::optional<std::int64_t>;
  // With `inflight`: the peer just chosen has one more attempt in progress.
  void begin(Peer& peer, Start& start, TimePoint now) const;
  // The head of the answer came and is passed on.
  void head_came(Peer& peer, Start& start, Duration header) const;
  void end(Peer& peer, Start& start, const AttemptTimes& times) const;

 private:
  [[nodiscard]] std::uint64_t score(const PeerSlot& slot, std::int64_t seconds) const;
  static void leave(Peer& peer, Start& start);

  bool by_header_;
  bool inflight_;
};

}  // namespace weir::upstream
