#include "upstream/random.h"

#include <optional>

namespace weir::upstream {
// The numbers are those of SplitMix64.
std::size_t RandomWalk::draw(const PeerList& list) {
  state_ += 0x9e3779b97f4a7c15;
  std::uint64_t x = state_;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  x ^= x >> 31;
  draw_ = x;
  return list.owner(x % list.total_weight);
}

PeerSlot* RandomWalk::choose(PeerList& list, TriedSet& tried, Misses& misses, std::int64_t now) {
  for (; !misses.too_many(); misses.add()) {
    const std::size_t i = draw(list);
    const bool taken = !tried.contains(i) && is_eligible(list.slots[i], now);
    misses.note(Named{draw_, draw_ % list.total_weight, i, taken});
    if (taken) return choose_slot(list, tried, i, now);
  }
  return nullptr;
}

PeerSlot* RandomWalk::choose_of_two(PeerList& list, TriedSet& tried, Misses& misses,
                                    std::int64_t now) {
  std::optional<std::size_t> first;
  while (!misses.too_many()) {
    const std::size_t i = draw(list);
    const bool taken = i != first && !tried.contains(i) && is_eligible(list.slots[i], now);
    misses.note(Named{draw_, draw_ % list.total_weight, i, taken});
    if (!taken) {
      misses.add();
      continue;
    }
    if (!first) {
      first = i;
      // nginx counts the first of the two, too.
      misses.add();
      continue;
    }
    const PeerSlot& a = list.slots[*first];
    const PeerSlot& b = list.slots[i];
    return choose_slot(list, tried, is_less_loaded(a, b) ? *first : i, now);
  }
  return nullptr;
}

}  // namespace weir::upstream
