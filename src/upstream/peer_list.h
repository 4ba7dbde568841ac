// The primaries or the backups of a pool as its balancers see them, the set of peers a request has
// tried, and the arithmetic that the balancers share. Used under the pool lock only; `now` is in
// whole seconds, as nginx counts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "upstream/peer.h"

namespace weir::upstream {

// The numbers of a `server` line.
struct PeerNumbers {
  std::uint32_t weight = 1;
  std::uint32_t max_fails = 1;
  std::uint32_t max_conns = 0;
  std::int64_t fail_timeout = 10;  // seconds
  Duration slow_start{0};
  bool down = false;
  bool backup = false;
  bool drain = false;
  bool vanished = false;
};

struct PeerSlot {
  Peer* peer = nullptr;
  std::uint32_t index = 0;     // in Pool::peers()
  std::uint32_t name = 0;      // for `hash consistent`: the same for peers of the same name
  std::uint64_t identity = 0;  // for choose_by_identity()
  PeerNumbers numbers;
  std::string sid;  // PeerSpec::sid
  // Of its weight, in thousandths, at the time of this choice: see Ramp. Of those that compare
  // loads.
  std::uint32_t share = Ramp::kWhole;
};

// Why a peer may not get a request.
enum class Closed : std::uint8_t {
  no,
  vanished,
  overloaded,
  down,
  drain,
  held,  // by an operator
  unhealthy,
  checking,
  failed,
  ejected,
  max_conns
};
[[nodiscard]] const char* to_string(Closed closed);

struct PeerList {
  std::vector<PeerSlot> slots;
  std::uint64_t total_weight = 0;  // of all, `down` ones included
  // Exactly one primary and no backup: failures never take it out.
  bool single = false;
  bool slow_start = false;  // some peer has one
  // Of a hash with bounded load: no peer takes more than so many percent of its share of what is in
  // progress; 0: no bound.
  std::uint32_t load_bound = 0;
  std::uint64_t load = 0;  // what is in progress, at the time of this choice
  // The index of the peer that `point` (0 .. total_weight - 1) belongs to. Weights are contiguous
  // ranges, `down` peers own theirs.
  [[nodiscard]] std::size_t owner(std::uint64_t point) const {
    std::size_t i = 0;
    while (point >= slots[i].numbers.weight) point -= slots[i++].numbers.weight;
    return i;
  }
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

inline TimePoint time_of(std::int64_t seconds) { return TimePoint{std::chrono::seconds{seconds}}; }

// Forgets the passive failures of a peer that active checks saw come back.
inline void apply_recovery(Peer& peer, const PeerNumbers& numbers, std::int64_t now) {
  if (!peer.recovered.load(std::memory_order_relaxed)) return;
  peer.recovered.store(false, std::memory_order_relaxed);
  peer.fails = 0;
  peer.effective_weight = numbers.weight;
  peer.eject.forgive();
  peer.ramp.begin(time_of(now), numbers.slow_start);
}

// Out for its failures. nginx: for fail_timeout after the last one; then one request a fail_timeout
// goes through (see mark_chosen) until one succeeds.
inline Closed out_for_failures(const PeerSlot& slot, std::int64_t now) {
  Peer& peer = *slot.peer;
  apply_recovery(peer, slot.numbers, now);
  if (slot.numbers.max_fails > 0 && peer.fails >= slot.numbers.max_fails &&
      now - peer.checked <= slot.numbers.fail_timeout) {
    return Closed::failed;
  }
  return peer.eject.is_out(time_of(now)) ? Closed::ejected : Closed::no;
}
inline bool is_banned(const PeerSlot& slot, std::int64_t now) {
  return out_for_failures(slot, now) != Closed::no;
}

// Active checks and operators come on top of nginx's rules.
inline bool is_healthy(const PeerSlot& slot) {
  const Health health = slot.peer->health.load(std::memory_order_acquire);
  return health != Health::down && health != Health::checking;
}
inline bool is_full(const PeerSlot& slot) {
  return slot.numbers.max_conns > 0 &&
         slot.peer->conns.load(std::memory_order_relaxed) >= slot.numbers.max_conns;
}

// An operator keeps requests from it. `bound`: the client is bound to the peer, which may be
// draining.
inline bool is_held(const PeerSlot& slot, bool bound = false) {
  const Hold hold = slot.peer->hold.load(std::memory_order_relaxed);
  return hold != Hold::none && !(bound && hold == Hold::draining);
}

// May get a request but for its passive failures.
inline bool is_open(const PeerSlot& slot) {
  return !slot.numbers.down && !slot.numbers.drain && !slot.numbers.vanished && !is_held(slot) &&
         is_healthy(slot) && !is_full(slot);
}

inline bool is_eligible(const PeerSlot& slot, std::int64_t now) {
  return is_open(slot) && !is_banned(slot, now);
}

// More in progress than its share allows. 100 percent and more leave room for someone.
inline bool is_overloaded(const PeerList& list, const PeerSlot& slot) {
  if (list.load_bound == 0) return false;
  const std::uint64_t conns = slot.peer->conns.load(std::memory_order_relaxed);
  return conns * list.total_weight * 100 >= (list.load + 1) * slot.numbers.weight * list.load_bound;
}

// The same with the reason. `bound`: the client is bound to the peer, which may be draining.
[[nodiscard]] Closed why_closed(const PeerSlot& slot, std::int64_t now, bool bound = false);

// A peer that a hash or a draw named.
struct Named {
  std::uint64_t value = 0;  // the hash, or the draw
  std::uint64_t point = 0;  // value % total_weight, which the peer owns; of a ring: the number of
                            // the point there
  std::size_t slot = 0;     // PeerSlot::index
  bool taken = false;       // else it was tried before, or may not get the request
};

// The candidates of one request that a hash or a draw named in vain. After more than 20, round
// robin chooses for the rest of the request.
class Misses {
 public:
  void add() { ++count_; }
  [[nodiscard]] bool too_many() const { return count_ > 20; }
  // Whether `slot` may take the request; if not, the first reason of the request is kept.
  [[nodiscard]] bool takes(const PeerList& list, const PeerSlot& slot, std::int64_t now) {
    const bool eligible = is_eligible(slot, now);
    if (eligible && !is_overloaded(list, slot)) return true;
    note(eligible ? Closed::overloaded : why_closed(slot, now));
    return false;
  }
  void note(Closed why) {
    if (skipped_ == Closed::no) skipped_ = why;
  }
  // Why the peer that the request should have had did not get it.
  [[nodiscard]] Closed skipped() const { return skipped_; }
  // All who are named from now on, for who asks why.
  void trace(std::vector<Named>* to) { trace_ = to; }
  [[nodiscard]] bool traced() const { return trace_ != nullptr; }
  void note(const Named& named) {
    if (trace_ != nullptr) trace_->push_back(named);
  }

 private:
  std::uint32_t count_ = 0;
  Closed skipped_ = Closed::no;
  std::vector<Named>* trace_ = nullptr;
};

// `a` has fewer connections for its weight than `b`.
inline bool is_less_loaded(const PeerSlot& a, const PeerSlot& b) {
  const auto conns = [](const PeerSlot& slot) {
    return std::uint64_t{slot.peer->conns.load(std::memory_order_relaxed)};
  };
  return conns(a) * b.numbers.weight * b.share < conns(b) * a.numbers.weight * a.share;
}

// To be called for each peer chosen: the start of the next ban if this request fails too.
inline void mark_chosen(const PeerSlot& slot, std::int64_t now) {
  if (now - slot.peer->checked > slot.numbers.fail_timeout) slot.peer->checked = now;
}

// Enters peer `i` as the choice of this try.
inline PeerSlot* choose_slot(PeerList& list, TriedSet& tried, std::size_t i, std::int64_t now) {
  mark_chosen(list.slots[i], now);
  tried.insert(i);
  return &list.slots[i];
}

// nginx's smooth weighted round robin over the eligible peers that were not tried and that `admits`
// lets take part: each turn a peer gains its effective weight and the richest one pays the sum of
// all gains, so that weights 5, 1, 1 give a a b a c a a. The chosen one is entered into `tried`.
// Null: there is none. `bound`: who takes the request, and pays, whoever is the richest.
template <class Admits>
PeerSlot* choose_in_turn(PeerList& list, TriedSet& tried, std::int64_t now, const Admits& admits,
                         PeerSlot* bound = nullptr) {
  for (;;) {
    PeerSlot* best = nullptr;
    std::int64_t total = 0;
    for (std::size_t i = 0; i < list.slots.size(); ++i) {
      PeerSlot& slot = list.slots[i];
      if (tried.contains(i) || !admits(slot) || !is_eligible(slot, now)) continue;
      Peer& peer = *slot.peer;
      peer.current_weight += peer.effective_weight;
      total += peer.effective_weight;
      // A failure lowered it; every turn gives one back.
      if (peer.effective_weight < slot.numbers.weight) ++peer.effective_weight;
      if (best == nullptr || peer.current_weight > best->peer->current_weight) best = &slot;
    }
    if (bound != nullptr) best = bound;
    if (best == nullptr) return nullptr;
    best->peer->current_weight -= total;
    // One that is starting has paid for turns that it does not take; in ten of its own it takes
    // one.
    if (bound == nullptr && !best->peer->ramp.admits(time_of(now))) continue;
    return choose_slot(list, tried, static_cast<std::size_t>(best - list.slots.data()), now);
  }
}

// The same over all.
PeerSlot* choose_round_robin(PeerList& list, TriedSet& tried, std::int64_t now);

// The peer that `sid` binds its clients to, if it may take the request; null: it may not, or there
// is none. `skipped` tells why not, if it is there and was not tried.
PeerSlot* find_bound(PeerList& list, const TriedSet& tried, std::string_view sid, std::int64_t now,
                     Closed& skipped);
// Enters it as the choice of this try. `in_turn`: it pays for its turn in round robin, once.
PeerSlot* choose_bound(PeerList& list, TriedSet& tried, PeerSlot* bound, bool in_turn,
                       std::int64_t now);

// Brings PeerList::load up to date, before a hash with bounded load chooses.
void update_load(PeerList& list);

// Brings PeerSlot::share up to date, before loads are compared.
void update_shares(PeerList& list, std::int64_t now);

// The eligible, untried peer that `less` puts first; round robin among several of them.
template <class Less>
PeerSlot* choose_least(PeerList& list, TriedSet& tried, std::int64_t now, const Less& less) {
  std::size_t best = 0;
  bool found = false, tied = false;
  for (std::size_t i = 0; i < list.slots.size(); ++i) {
    const PeerSlot& slot = list.slots[i];
    if (tried.contains(i) || !is_eligible(slot, now)) continue;
    if (!found || less(slot, list.slots[best])) {
      best = i;
      found = true;
      tied = false;
    } else if (!less(list.slots[best], slot)) {
      tied = true;
    }
  }
  if (!found) return nullptr;
  if (!tied) return choose_slot(list, tried, best, now);
  const PeerSlot& first = list.slots[best];
  return choose_in_turn(list, tried, now, [&](const PeerSlot& slot) { return !less(first, slot); });
}

// nginx's least_conn: the fewest connections for the weight.
PeerSlot* choose_least_conn(PeerList& list, TriedSet& tried, std::int64_t now);

}  // namespace weir::upstream
