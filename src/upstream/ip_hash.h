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
  // More than 20 candidates were not eligible: round robin chooses for the rest of the request.
  [[nodiscard]] bool exhausted() const { return misses_ > kMaxMisses; }
  // The eligible peer that the hash names, entered into `tried`; null: exhausted.
  PeerSlot* choose(PeerList& list, TriedSet& tried, std::int64_t now);

 private:
  static constexpr std::uint32_t kMaxMisses = 20;

  std::array<std::uint8_t, 16> key_{};
  std::uint8_t key_size_ = 3;
  std::uint32_t hash_ = 0;
  std::uint32_t misses_ = 0;
};

}  // namespace weir::upstream
