#include "upstream/slot_hash.h"

#include <cmath>

namespace weir::upstream {
namespace {

// The finisher of SplitMix64 (Steele, Lea and Flood, 2014).
std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace

// The greater, the better: -weight / ln(u) for a u between 0 and 1.
double identity_score(std::uint64_t key, const PeerSlot& slot) {
  const auto bits = mix(key ^ slot.identity) >> 11;  // 53 of them
  const double u = (static_cast<double>(bits) + 0.5) / 9007199254740992.0;
  return -static_cast<double>(slot.numbers.weight) / std::log(u);
}

std::uint64_t slot_key(std::string_view bytes) {
  std::uint64_t hash = bytes.size();
  for (const char c : bytes) hash = mix(hash ^ static_cast<unsigned char>(c));
  return hash;
}

std::uint64_t identity_of(const PeerSpec& spec) {
  if (spec.slot >= 0) return mix(static_cast<std::uint64_t>(spec.slot));
  return slot_key(spec.name);
}

PeerSlot* choose_by_identity(PeerList& list, TriedSet& tried, Misses& misses, std::uint64_t key,
                             std::int64_t now) {
  const auto none = list.slots.size();
  std::size_t best = none, liked = none;
  double best_score = 0, liked_score = 0;
  for (std::size_t i = 0; i < none; ++i) {
    const auto& slot = list.slots[i];
    if (tried.contains(i)) continue;
    const double own = identity_score(key, slot);
    if (liked == none || own > liked_score) {
      liked = i;
      liked_score = own;
    }
    if (!is_eligible(slot, now) || is_overloaded(list, slot)) continue;
    if (best == none || own > best_score) {
      best = i;
      best_score = own;
    }
  }
  if (liked != best) {
    static_cast<void>(misses.takes(list, list.slots[liked], now));
    misses.note(Named{key, 0, list.slots[liked].index, false});
  }
  if (best == none) return nullptr;
  misses.note(Named{key, 0, list.slots[best].index, true});
  return choose_slot(list, tried, best, now);
}

}  // namespace weir::upstream
