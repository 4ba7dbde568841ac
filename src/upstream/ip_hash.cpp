#include "upstream/ip_hash.h"

#include <algorithm>

#include "upstream/slot_hash.h"

namespace weir::upstream {
namespace {
// nginx's constants: the start, the factor and the number of hash values.
constexpr std::uint32_t kStart = 89;
constexpr std::uint32_t kFactor = 113;
constexpr std::uint32_t kValues = 6271;
}  // namespace

void IpHashWalk::reset(const IpAddress& client) {
  const auto bytes = client.bytes();
  // Clients without an address: zero bytes.
  v6_ = client.is_v6();
  key_.fill(0);
  std::copy_n(bytes.begin(), std::min<std::size_t>(bytes.size(), v6_ ? 16 : 4), key_.begin());
  hash_ = kStart;
}

std::uint64_t IpHashWalk::slot_key(bool full) const {
  const std::size_t size = v6_ ? 16 : full ? 4 : 3;
  return upstream::slot_key({reinterpret_cast<const char*>(key_.data()), size});
}

PeerSlot* IpHashWalk::choose(PeerList& list, TriedSet& tried, Misses& misses, bool full,
                             std::int64_t now) {
  const std::size_t size = v6_ ? 16 : full ? 4 : 3;
  for (; !misses.too_many(); misses.add()) {
    for (std::size_t i = 0; i < size; ++i) hash_ = (hash_ * kFactor + key_[i]) % kValues;
    const std::size_t i = list.owner(hash_ % list.total_weight);
    const bool taken = !tried.contains(i) && misses.takes(list, list.slots[i], now);
    misses.note(Named{hash_, hash_ % list.total_weight, list.slots[i].index, taken});
    if (taken) return choose_slot(list, tried, i, now);
  }
  return nullptr;
}

}  // namespace weir::upstream
