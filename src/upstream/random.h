// nginx's random: any peer by its weight, or of two the less loaded. Used under the pool lock only,
// but for seed().
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "upstream/peer_list.h"

namespace weir::upstream {

// The draws of one request. They follow from its seed.
class RandomWalk {
 public:
  void seed(std::uint64_t seed) { state_ = seed; }
  // An eligible peer, entered into `tried`; null: too many misses.
  PeerSlot* choose(PeerList& list, TriedSet& tried, Misses& misses, std::int64_t now);
  // Of two different ones the first if it is `better(first, second)`, else the second.
  template <class Better>
  PeerSlot* choose_of_two(PeerList& list, TriedSet& tried, Misses& misses, std::int64_t now,
                          Better better) {
    const auto two = draw_two(list, tried, misses, now);
    if (!two) return nullptr;
    const bool first = better(list.slots[two->first], list.slots[two->second]);
    return choose_slot(list, tried, first ? two->first : two->second, now);
  }

 private:
  using Two = std::pair<std::size_t, std::size_t>;
  std::optional<Two> draw_two(const PeerList& list, const TriedSet& tried, Misses& misses,
                              std::int64_t now);
  std::size_t draw(const PeerList& list);

  std::uint64_t state_ = 0;
  std::uint64_t draw_ = 0;  // the last one
};

}  // namespace weir::upstream
