// nginx's hash: a key of the request chooses the peer, among ranges of weights or, `consistent`,
// on a ring. Used under the pool lock only, but for the key.
#pragma once

#include <cstdint>
#include <string>

#include "upstream/hash_ring.h"
#include "upstream/peer_list.h"

namespace weir::upstream {

// Where the hash of one request stands; it goes on from try to try. Keeps the memory of its key.
class HashWalk {
 public:
  // Begins the walk of a request; the key, empty as yet, is to be filled. If it stays empty, round
  // robin must choose.
  [[nodiscard]] std::string& begin();
  [[nodiscard]] const std::string& key() const { return key_; }

  // The eligible peer that the hash names, entered into `tried`; null: too many misses.
  PeerSlot* choose(PeerList& list, TriedSet& tried, Misses& misses, std::int64_t now);
  // The same on the ring of `list`. Peers of one name take turns.
  PeerSlot* choose(const HashRing& ring, PeerList& list, TriedSet& tried, Misses& misses,
                   std::int64_t now);

 private:
  std::string key_;
  std::uint32_t hash_ = 0;    // the sum of the rounds
  std::uint32_t rounds_ = 0;  // had so far
  std::size_t point_ = 0;     // on the ring, once placed_
  bool placed_ = false;
};

}  // namespace weir::upstream
