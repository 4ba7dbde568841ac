#include "upstream/peer_list.h"

namespace weir::upstream {

PeerSlot* choose_round_robin(PeerList& list, TriedSet& tried, std::int64_t now) {
  return choose_in_turn(list, tried, now, [](const PeerSlot&) { return true; });
}

}  // namespace weir::upstream
