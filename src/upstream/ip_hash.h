// nginx's ip_hash: the client's address chooses the peer. Used under the pool lock only.
#pragma once

#include <array>
#include <cstdint>

#include "base/address.h"
#include "upstream/peer_list.h"

namespace weir::upstream {

// Where the hash of one request stands; it goes on from try to try.
class IpHashWalk {
 public:
  void reset(const IpAddress& client);
  // The bytes that count, for choose_by_identity().
  [[nodiscard]] std::uint64_t slot_key(bool full) const;
  // The eligible peer that the hash names, entered into `tried`; null: too many misses. `full`: all
  // of an IPv4 address counts, not only its first three octets.
  PeerSlot* choose(PeerList& list, TriedSet& tried, Misses& misses, bool full, std::int64_t now);

 private:
  std::array<std::uint8_t, 16> key_{};
  bool v6_ = false;
  std::uint32_t hash_ = 0;
};

}  // namespace weir::upstream
