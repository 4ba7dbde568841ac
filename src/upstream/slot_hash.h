// The choice by a hash where peers have identities: rendezvous hashing (Thaler and Ravishankar,
// 1998), by weight. A client goes to the peer that its key and the peer's identity like best. So a
// peer that leaves moves its own clients only, one that comes takes only what is its own, and the
// order of arrivals means nothing. nginx's hashes divide by the number of peers, which moves nearly
// all clients at each change. Used under the pool lock only.
#pragma once

#include <cstdint>
#include <string_view>

#include "upstream/peer_list.h"

namespace weir::upstream {

// Of a peer in a slot: the slot's; of another: its name's.
[[nodiscard]] std::uint64_t identity_of(const PeerSpec& spec);
[[nodiscard]] std::uint64_t slot_key(std::string_view bytes);

// How much `key` likes a peer.
[[nodiscard]] double identity_score(std::uint64_t key, const PeerSlot& slot);
// The eligible, untried peer that `key` likes best, entered into `tried`; null: there is none.
// `misses` hears of one that it likes better and that may not get the request.
PeerSlot* choose_by_identity(PeerList& list, TriedSet& tried, Misses& misses, std::uint64_t key,
                             std::int64_t now);

}  // namespace weir::upstream
