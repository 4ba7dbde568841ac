#include "upstream/ip_hash.h"

#include <algorithm>

namespace weir::upstream {
namespace {
// nginx's constants: the start, the factor and the number of hash values.
constexpr std::uint32_t kStart = 89;
constexpr std::uint32_t kFactor = 113;
constexpr std::uint32_t kValues = 6271;

// Weights are contiguous ranges of slots, `down` peers own theirs.
std::size_t owner(const PeerList& list, std::uint64_t slot) {
  std::size_t i = 0;
  while (slot >= list.slots[i].numbers.weight) slot -= list.slots[i++].numbers.weight;
  return i;
}
}  // namespace

void IpHashWalk::reset(const IpAddress& client) {
  const auto bytes = client.bytes();
  // IPv4: the network part of a /24 only. Clients without an address: three zero bytes.
  key_size_ = client.is_v6() ? 16 : 3;
  key_.fill(0);
  std::copy_n(bytes.begin(), std::min<std::size_t>(bytes.size(), key_size_), key_.begin());
  hash_ = kStart;
  misses_ = 0;
}

PeerSlot* IpHashWalk::choose(PeerList& list, TriedSet& tried, std::int64_t now) {
  while (!exhausted()) {
    for (std::size_t i = 0; i < key_size_; ++i) hash_ = (hash_ * kFactor + key_[i]) % kValues;
    const std::size_t i = owner(list, hash_ % list.total_weight);
    PeerSlot& slot = list.slots[i];
    if (!tried.contains(i) && is_eligible(slot, now)) {
      mark_chosen(slot, now);
      tried.insert(i);
      return &slot;
    }
    ++misses_;
  }
  return nullptr;
}

}  // namespace weir::upstream
