// The primaries or the backups of a pool as its balancers see them, and the set of peers a request
// has tried. Used under the pool lock only; `now` is in whole seconds, as nginx counts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "upstream/peer.h"

namespace weir::upstream {

// The numbers of a `server` line.
struct PeerNumbers {
  std::uint32_t weight = 1;
  std::uint32_t max_fails = 1;
  std::uint32_t max_conns = 0;
  std::int64_t fail_timeout = 10;  // seconds
  bool down = false;
  bool backup = false;
};

struct PeerSlot {
  Peer* peer = nullptr;
  std::uint32_t index = 0;  // in Pool::peers()
  PeerNumbers numbers;
};

struct PeerList {
  std::vector<PeerSlot> slots;
  std::uint64_t total_weight = 0;  // of all, `down` ones included
  // Exactly one primary and no backup: failures never take it out.
  bool single = false;
};

// Indexes into PeerList::slots. Up to 128 peers without memory of its own.
class TriedSet {
 public:
  void clear() {
    inline_.fill(0);
    more_.clear();
  }
  [[nodiscard]] bool contains(std::size_t i) const {
    const std::size_t word = i / 64;
    if (word < inline_.size()) return (inline_[word] >> (i % 64) & 1) != 0;
    return word - inline_.size() < more_.size() &&
           (more_[word - inline_.size()] >> (i % 64) & 1) != 0;
  }
  void insert(std::size_t i) {
    const std::size_t word = i / 64;
    if (word < inline_.size()) {
      inline_[word] |= std::uint64_t{1} << (i % 64);
      return;
    }
    if (more_.size() <= word - inline_.size()) more_.resize(word - inline_.size() + 1);
    more_[word - inline_.size()] |= std::uint64_t{1} << (i % 64);
  }

 private:
  std::array<std::uint64_t, 2> inline_{};
  std::vector<std::uint64_t> more_;
};

// Forgets the passive failures of a peer that active checks saw come back.
inline void apply_recovery(Peer& peer, const PeerNumbers& numbers) {
  if (!peer.recovered.load(std::memory_order_relaxed)) return;
  peer.recovered.store(false, std::memory_order_relaxed);
  peer.fails = 0;
  peer.effective_weight = numbers.weight;
}

// Out for its failures. nginx: for fail_timeout after the last one; then one request a fail_timeout
// goes through (see mark_chosen) until one succeeds.
inline bool is_banned(const PeerSlot& slot, std::int64_t now) {
  Peer& peer = *slot.peer;
  if (slot.numbers.max_fails == 0 || peer.fails < slot.numbers.max_fails) return false;
  apply_recovery(peer, slot.numbers);
  return peer.fails >= slot.numbers.max_fails && now - peer.checked <= slot.numbers.fail_timeout;
}

// May get a request but for its passive failures. Active checks come on top of nginx's rules.
inline bool is_open(const PeerSlot& slot) {
  const Peer& peer = *slot.peer;
  const Health health = peer.health.load(std::memory_order_acquire);
  return !slot.numbers.down && health != Health::down && health != Health::checking &&
         (slot.numbers.max_conns == 0 ||
          peer.conns.load(std::memory_order_relaxed) < slot.numbers.max_conns);
}

inline bool is_eligible(const PeerSlot& slot, std::int64_t now) {
  return is_open(slot) && !is_banned(slot, now);
}

// To be called for each peer chosen: the start of the next ban if this request fails too.
inline void mark_chosen(const PeerSlot& slot, std::int64_t now) {
  if (now - slot.peer->checked > slot.numbers.fail_timeout) slot.peer->checked = now;
}

// nginx's smooth weighted round robin over the eligible peers that were not tried; the chosen one
// is entered into `tried`. Null: there is none.
PeerSlot* choose_round_robin(PeerList& list, TriedSet& tried, std::int64_t now);

}  // namespace weir::upstream
