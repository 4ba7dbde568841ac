#include "discovery/slots.h"

#include <algorithm>
#include <utility>

namespace weir::discovery {
namespace {

Presence presence_of(const registry::NodeRecord& node) {
  if (!registry::serves_requests(node.mode)) return Presence::other_mode;
  switch (node.state) {
    case registry::NodeState::starting:
      return Presence::starting;
    case registry::NodeState::ready:
      return Presence::serving;
    case registry::NodeState::draining:
      return Presence::draining;
  }
  return Presence::starting;
}

bool is_serving(const std::optional<Slot>& slot) {
  return slot && slot->presence == Presence::serving;
}

bool is_lost(const std::optional<Slot>& slot) {
  return !slot || slot->presence == Presence::vanished;
}

// Whether the balancers need not be told.
bool same(const std::optional<Slot>& a, const std::optional<Slot>& b) {
  if (!a || !b) return a.has_value() == b.has_value();
  return a->node.addr == b->node.addr && a->node.weight == b->node.weight &&
         a->presence == b->presence && a->newcomer == b->newcomer;
}

}  // namespace

const char* to_string(Presence presence) {
  switch (presence) {
    case Presence::serving:
      return "serving";
    case Presence::starting:
      return "starting";
    case Presence::draining:
      return "draining";
    case Presence::other_mode:
      return "its mode serves no requests";
    case Presence::superseded:
      return "another slot has its address";
    case Presence::vanished:
      return "vanished";
  }
  return "";
}

std::size_t Slots::serving() const {
  return static_cast<std::size_t>(std::count_if(list_.begin(), list_.end(), is_serving));
}

bool Slots::take(const Reading& reading, TimePoint now) {
  List next = apply(reading, now);
  if (!doubted_since_ && is_doubtful(next)) {
    doubted_since_ = now;
    for (std::size_t i = 0; i < next.size(); ++i) held_[i] = is_serving(list_[i]);
  }
  if (doubted_since_ && (now - *doubted_since_ >= kConfirm || !hold(next))) doubted_since_.reset();
  known_ = true;
  const bool changed = !std::equal(next.begin(), next.end(), list_.begin(), same);
  list_ = std::move(next);
  return changed;
}

// Leaves those that are held as they were. False: none of them is missed any more.
bool Slots::hold(List& next) {
  bool any = false;
  for (std::size_t i = 0; i < next.size(); ++i) {
    held_[i] = held_[i] && is_lost(next[i]);
    if (held_[i]) next[i] = list_[i];
    any = any || held_[i];
  }
  return any;
}

Slots::List Slots::apply(const Reading& reading, TimePoint now) const {
  List next;
  for (std::size_t i = 0; i < reading.size(); ++i) {
    if (reading[i].kind == SlotReading::Kind::node) {
      next[i] = Slot{.node = reading[i].node,
                     .where = reading[i].where,
                     .presence = presence_of(reading[i].node)};
    } else if (list_[i]) {
      next[i] = list_[i];
      if (reading[i].kind == SlotReading::Kind::absent) next[i]->presence = Presence::vanished;
    }
  }
  supersede(next);
  for (std::size_t i = 0; i < next.size(); ++i) {
    if (!next[i]) continue;
    compare(list_[i], *next[i], now);
    if (next[i]->presence == Presence::vanished && now - next[i]->since >= forget_) next[i].reset();
  }
  return next;
}

// What depends on what was before.
void Slots::compare(const std::optional<Slot>& before, Slot& slot, TimePoint now) const {
  if (before && before->node.addr == slot.node.addr && before->presence == slot.presence) {
    slot.since = before->since;
    slot.newcomer = before->newcomer;
  } else {
    slot.since = now;
    slot.newcomer = known_ && slot.presence == Presence::serving;
  }
}

// A node that came back under another number before its lease was over is one, not two.
void Slots::supersede(List& list) {
  for (auto& slot : list) {
    if (!slot || slot->presence == Presence::vanished) continue;
    for (const auto& other : list) {
      if (other && other->presence != Presence::vanished && other->node.addr == slot->node.addr &&
          other->node.since > slot->node.since) {
        slot->presence = Presence::superseded;
      }
    }
  }
}

// Of the nodes that served none would be left, or fewer than went, and these without a word: as
// after a start of an empty Redis, where one after the other writes itself in again.
bool Slots::is_doubtful(const List& next) const {
  std::size_t left = 0, lost = 0;
  for (const auto& before : list_) {
    if (!is_serving(before)) continue;
    const auto now = std::find_if(next.begin(), next.end(), [&](const auto& slot) {
      return !is_lost(slot) && slot->node.addr == before->node.addr;
    });
    if (now == next.end()) {
      ++lost;
    } else if (is_serving(*now)) {
      ++left;
    }
  }
  return lost > 0 && (left == 0 || (lost > 1 && lost > left));
}

}  // namespace weir::discovery
