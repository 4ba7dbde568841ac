#include "upstream/peer_list.h"

namespace weir::upstream {

const char* to_string(Closed closed) {
  switch (closed) {
    case Closed::no:
      return "";
    case Closed::vanished:
      return "vanished";
    case Closed::overloaded:
      return "load";
    case Closed::down:
      return "down";
    case Closed::drain:
      return "drain";
    case Closed::unhealthy:
      return "unhealthy";
    case Closed::checking:
      return "checking";
    case Closed::failed:
      return "failed";
    case Closed::ejected:
      return "ejected";
    case Closed::max_conns:
      return "max_conns";
  }
  return "";
}

Closed why_closed(const PeerSlot& slot, std::int64_t now, bool bound) {
  if (slot.numbers.vanished) return Closed::vanished;
  if (slot.numbers.down) return Closed::down;
  if (slot.numbers.drain && !bound) return Closed::drain;
  const Health health = slot.peer->health.load(std::memory_order_acquire);
  if (health == Health::down) return Closed::unhealthy;
  if (health == Health::checking) return Closed::checking;
  if (const Closed failures = out_for_failures(slot, now); failures != Closed::no) return failures;
  return is_full(slot) ? Closed::max_conns : Closed::no;
}

PeerSlot* choose_round_robin(PeerList& list, TriedSet& tried, std::int64_t now) {
  return choose_in_turn(list, tried, now, [](const PeerSlot&) { return true; });
}

PeerSlot* find_bound(PeerList& list, const TriedSet& tried, std::string_view sid, std::int64_t now,
                     Closed& skipped) {
  for (std::size_t i = 0; i < list.slots.size(); ++i) {
    PeerSlot& slot = list.slots[i];
    if (slot.sid != sid) continue;
    if (tried.contains(i)) return nullptr;
    const Closed closed = why_closed(slot, now, true);
    if (closed == Closed::no) return &slot;
    if (skipped == Closed::no) skipped = closed;
    return nullptr;
  }
  return nullptr;
}

PeerSlot* choose_bound(PeerList& list, TriedSet& tried, PeerSlot* bound, bool in_turn,
                       std::int64_t now) {
  const auto others = list.total_weight - bound->numbers.weight;
  // Bound clients do not make it poorer than one turn of all others.
  if (in_turn && bound->peer->current_weight > -static_cast<std::int64_t>(others)) {
    return choose_in_turn(
        list, tried, now, [](const PeerSlot&) { return true; }, bound);
  }
  return choose_slot(list, tried, static_cast<std::size_t>(bound - list.slots.data()), now);
}

void update_load(PeerList& list) {
  if (list.load_bound == 0) return;
  list.load = 0;
  for (const PeerSlot& slot : list.slots) {
    list.load += slot.peer->conns.load(std::memory_order_relaxed);
  }
}

void update_shares(PeerList& list, std::int64_t now) {
  if (!list.slow_start) return;
  for (PeerSlot& slot : list.slots) {
    apply_recovery(*slot.peer, slot.numbers, now);
    slot.share = slot.peer->ramp.share(time_of(now));
  }
}

PeerSlot* choose_least_conn(PeerList& list, TriedSet& tried, std::int64_t now) {
  update_shares(list, now);
  return choose_least(list, tried, now, is_less_loaded);
}

}  // namespace weir::upstream
