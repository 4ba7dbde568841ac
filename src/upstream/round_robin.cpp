// Smooth weighted round robin, as nginx does it: each turn a peer gains its effective weight and
// the richest one pays the sum of all gains, so that weights 5, 1, 1 give a a b a c a a.
#include "upstream/peer_list.h"

namespace weir::upstream {

PeerSlot* choose_round_robin(PeerList& list, TriedSet& tried, std::int64_t now) {
  PeerSlot* best = nullptr;
  std::int64_t total = 0;
  for (std::size_t i = 0; i < list.slots.size(); ++i) {
    PeerSlot& slot = list.slots[i];
    if (tried.contains(i) || !is_eligible(slot, now)) continue;
    Peer& peer = *slot.peer;
    peer.current_weight += peer.effective_weight;
    total += peer.effective_weight;
    // A failure lowered it; every turn gives one back.
    if (peer.effective_weight < slot.numbers.weight) ++peer.effective_weight;
    if (best == nullptr || peer.current_weight > best->peer->current_weight) best = &slot;
  }
  if (best == nullptr) return nullptr;
  best->peer->current_weight -= total;
  mark_chosen(*best, now);
  tried.insert(static_cast<std::size_t>(best - list.slots.data()));
  return best;
}

}  // namespace weir::upstream
