// nginx's random: any peer by its weight, or of two the less loaded. Used under the pool lock only,
// but for seed().
#pragma once

#include <cstdint>

#include "upstream/peer_list.h"

namespace weir::upstream {

// The draws of one request. They follow from its seed.
class RandomWalk {
 public:
  void seed(std::uint64_t seed) { state_ = seed; }
  // An eligible peer, entered into `tried`; null: too many misses.
  PeerSlot* choose(PeerList& list, TriedSet& tried, Misses& misses, std::int64_t now);
  // Of two different ones the one with fewer connections by its weight; the second if equal.
  PeerSlot* choose_of_two(PeerList& list, TriedSet& tried, Misses& misses, std::int64_t now);

 private:
  std::size_t draw(const PeerList& list);

  std::uint64_t state_ = 0;
  std::uint64_t draw_ = 0;  // the last one
};

}  // namespace weir::upstream
