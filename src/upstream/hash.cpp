#include "upstream/hash.h"

#include <array>
#include <charconv>

#include "upstream/crc32.h"

namespace weir::upstream {
namespace {

// Of the peer that was chosen, else of the first one of the name.
std::size_t slot_of(const PeerList& list, const PeerSlot* chosen, std::uint32_t name) {
  std::size_t i = 0;
  while (i + 1 < list.slots.size() && list.slots[i].name != name) ++i;
  return chosen != nullptr ? static_cast<std::size_t>(chosen - list.slots.data()) : i;
}

}  // namespace

std::string& HashWalk::begin() {
  key_.clear();
  hash_ = 0;
  rounds_ = 0;
  point_ = 0;
  placed_ = false;
  return key_;
}

// As Cache::Memcached does: each round adds 15 bits of the CRC of the key, behind the number of the
// round from the second on.
PeerSlot* HashWalk::choose(PeerList& list, TriedSet& tried, Misses& misses, std::int64_t now) {
  for (; !misses.too_many(); misses.add()) {
    std::uint32_t crc = 0;
    if (rounds_ > 0) {
      std::array<char, 10> digits{};
      const auto* end = std::to_chars(digits.data(), digits.data() + digits.size(), rounds_).ptr;
      crc = crc32(crc, {digits.data(), end});
    }
    hash_ += crc32(crc, key_) >> 16 & 0x7fff;
    ++rounds_;
    const std::size_t i = list.owner(hash_ % list.total_weight);
    const bool taken = !tried.contains(i) && misses.takes(list, list.slots[i], now);
    misses.note(Named{hash_, hash_ % list.total_weight, list.slots[i].index, taken});
    if (taken) return choose_slot(list, tried, i, now);
  }
  return nullptr;
}

PeerSlot* HashWalk::choose(const HashRing& ring, PeerList& list, TriedSet& tried, Misses& misses,
                           std::int64_t now) {
  if (!placed_) {
    point_ = ring.find(crc32(0, key_));
    placed_ = true;
  }
  for (; !misses.too_many(); misses.add(), ++point_) {
    const std::uint32_t name = ring.name_at(point_);
    auto* slot = choose_in_turn(list, tried, now, [&](const PeerSlot& each) {
      return each.name == name && !is_overloaded(list, each);
    });
    if (misses.traced()) {
      misses.note(Named{crc32(0, key_), point_ % ring.size(),
                        list.slots[slot_of(list, slot, name)].index, slot != nullptr});
    }
    if (slot != nullptr) return slot;
    for (std::size_t i = 0; i < list.slots.size(); ++i) {
      const PeerSlot& each = list.slots[i];
      if (each.name == name && !tried.contains(i)) static_cast<void>(misses.takes(list, each, now));
    }
  }
  return nullptr;
}

}  // namespace weir::upstream
