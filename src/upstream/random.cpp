#include "upstream/random.h"

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
    misses.note(Named{draw_, draw_ % list.total_weight, list.slots[i].index, taken});
    if (taken) return choose_slot(list, tried, i, now);
  }
  return nullptr;
}

// Different ones, and eligible.
std::optional<RandomWalk::Two> RandomWalk::draw_two(const PeerList& list, const TriedSet& tried,
                                                    Misses& misses, std::int64_t now) {
  std::optional<std::size_t> first;
  while (!misses.too_many()) {
    const std::size_t i = draw(list);
    const bool taken = i != first && !tried.contains(i) && is_eligible(list.slots[i], now);
    misses.note(Named{draw_, draw_ % list.total_weight, list.slots[i].index, taken});
    if (taken && first) return Two{*first, i};
    if (taken) first = i;
    // nginx counts the first of the two, too.
    misses.add();
  }
  return std::nullopt;
}

}  // namespace weir::upstream
