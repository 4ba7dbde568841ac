#include "upstream/pool.h"

#include <algorithm>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "upstream/slot_hash.h"

namespace weir::upstream {

using config::Balance;

namespace {

// nginx decides in whole seconds.
std::int64_t whole_seconds(TimePoint now) {
  return std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
}

std::vector<PeerSpec> own_specs(const std::vector<std::shared_ptr<Peer>>& peers) {
  std::vector<PeerSpec> specs;
  specs.reserve(peers.size());
  for (const auto& peer : peers) specs.push_back(peer->spec);
  return specs;
}

// Of a choice by the method itself.
Reason reason_of(Balance balance) {
  switch (balance) {
    case Balance::round_robin:
      return Reason::round_robin;
    case Balance::ip_hash:
    case Balance::ip_hash_full:
    case Balance::hash:
    case Balance::hash_consistent:
      return Reason::hash;
    case Balance::least_conn:
      return Reason::least_conn;
    case Balance::random:
    case Balance::random_two:
    case Balance::random_two_header:
    case Balance::random_two_last_byte:
      return Reason::random;
    case Balance::least_time_header:
    case Balance::least_time_header_inflight:
    case Balance::least_time_last_byte:
    case Balance::least_time_last_byte_inflight:
      return Reason::least_time;
  }
  return Reason::round_robin;
}

// Only the holder of the pool lock changes the number, so a plain store will do.
void add_conns(Peer& peer, std::uint32_t by) {
  peer.conns.store(peer.conns.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

}  // namespace

const char* to_string(Reason reason) {
  switch (reason) {
    case Reason::round_robin:
      return "rr";
    case Reason::hash:
      return "hash";
    case Reason::hash_fallback:
      return "hash-fallback";
    case Reason::least_conn:
      return "least_conn";
    case Reason::random:
      return "random";
    case Reason::least_time:
      return "least_time";
    case Reason::only_peer:
      return "single";
    case Reason::backup:
      return "backup";
    case Reason::sticky:
      return "sticky";
    case Reason::fail_open:
      return "fail-open";
    case Reason::none_live:
      return "no-live";
  }
  return "";
}

void Walk::reset(const IpAddress& client) {
  ip_hash_.reset(client);
  misses_ = {};
  tried_.clear();
  tried_anyway_.clear();
  sid_.clear();
  backups_ = false;
}

Pool::Pool(std::string name, config::Balance balance, std::vector<std::shared_ptr<Peer>> peers)
    : Pool(std::move(name), balance, peers, own_specs(peers), std::make_shared<SpinLock>(), {}) {}

Pool::Pool(std::string name, config::Balance balance, std::vector<std::shared_ptr<Peer>> peers,
           std::span<const PeerSpec> specs, std::shared_ptr<SpinLock> lock, const Rules& rules)
    : name_(std::move(name)),
      balance_(balance),
      reason_(reason_of(balance)),
      peers_(std::move(peers)),
      lock_(std::move(lock)),
      least_time_(balance),
      rules_(rules) {
  std::uint32_t tries = 0;
  // A vanished peer beside a single one makes it no less single.
  const auto is_there = [](const PeerSpec& spec) { return !spec.vanished; };
  const bool single = std::count_if(specs.begin(), specs.end(), is_there) == 1 &&
                      !std::find_if(specs.begin(), specs.end(), is_there)->backup;
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    if (single && specs[i].vanished) continue;
    add(specs[i], static_cast<std::uint32_t>(i));
    if (!specs[i].down && !specs[i].drain && !specs[i].vanished) ++tries;
  }
  primaries_.load_bound = backups_.load_bound = rules_.load_bound;
  primaries_.single = primaries_.slots.size() == 1 && backups_.slots.empty();
  max_tries_ = std::max(tries, 1u);
  if (balance_ == Balance::hash_consistent) build_ring(specs);
}

void Pool::add(const PeerSpec& spec, std::uint32_t index) {
  PeerList& list = spec.backup ? backups_ : primaries_;
  list.slots.push_back({.peer = peers_[index].get(),
                        .index = index,
                        .identity = identity_of(spec),
                        .numbers = {.weight = spec.weight,
                                    .max_fails = spec.max_fails,
                                    .max_conns = spec.max_conns,
                                    .fail_timeout = spec.fail_timeout.count(),
                                    .slow_start = spec.slow_start,
                                    .down = spec.down,
                                    .backup = spec.backup,
                                    .drain = spec.drain,
                                    .vanished = spec.vanished},
                        .sid = spec.sid});
  list.total_weight += spec.weight;
  list.slow_start = list.slow_start || spec.slow_start > Duration{0};
}

void Pool::build_ring(std::span<const PeerSpec> specs) {
  std::unordered_map<std::string, std::uint32_t> names;
  for (PeerSlot& slot : primaries_.slots) {
    const auto& spec = specs[slot.index];
    // Its part falls to the next ones on the ring, as if it were not there.
    if (spec.slot >= 0 && (spec.down || spec.drain)) continue;
    const std::string text = spec.slot >= 0 ? "slot " + std::to_string(spec.slot) : spec.name;
    slot.name = names.try_emplace(text, slot.index).first->second;
    ring_.add(text, slot.name, slot.numbers.weight);
  }
  ring_.finish();
}

Pool::Choice Pool::take(const PeerSlot& slot, Reason reason) {
  add_conns(*slot.peer, 1);
  return {.peer = slot.peer, .index = slot.index, .reason = reason};
}

// The peer that the client is bound to; null: none that may take the request.
PeerSlot* Pool::take_bound(PeerList& list, Walk& walk, std::int64_t now) const {
  if (walk.sid_.empty()) return nullptr;
  Closed skipped = Closed::no;
  PeerSlot* bound = find_bound(list, walk.tried_, walk.sid_, now, skipped);
  if (bound == nullptr) {
    walk.misses_.note(skipped);
    return nullptr;
  }
  return choose_bound(list, walk.tried_, bound, reason_ == Reason::round_robin, now);
}

// From the primaries, then from the backups, whichever way `choose` chooses.
template <class Choose>
Pool::Choice Pool::pick_from_lists(Walk& walk, std::int64_t now, Reason reason,
                                   const Choose& choose) {
  const auto choose_from = [&](PeerList& list, Reason why) -> Choice {
    if (const PeerSlot* bound = take_bound(list, walk, now)) return take(*bound, Reason::sticky);
    const PeerSlot* slot = choose(list);
    return slot != nullptr ? take(*slot, why) : Choice{};
  };
  if (!walk.backups_) {
    const Choice choice = choose_from(primaries_, reason);
    if (choice.peer != nullptr || backups_.slots.empty()) return choice;
    walk.backups_ = true;
    walk.tried_.clear();
  }
  return choose_from(backups_, Reason::backup);
}

Pool::Choice Pool::pick(Walk& walk, TimePoint now) {
  const std::int64_t seconds = whole_seconds(now);
  const std::lock_guard guard(*lock_);
  Choice choice = pick_locked(walk, seconds, now);
  choice.skipped = walk.misses_.skipped();
  return choice;
}

Pool::Choice Pool::pick_locked(Walk& walk, std::int64_t seconds, TimePoint now) {
  if (primaries_.single) {
    const PeerSlot& slot = primaries_.slots.front();
    const bool bound = !walk.sid_.empty() && slot.sid == walk.sid_;
    const bool open = !slot.numbers.down && !slot.numbers.vanished &&
                      (!slot.numbers.drain || bound) && !is_held(slot, bound) && is_healthy(slot) &&
                      !is_full(slot);
    return open ? take(slot, bound ? Reason::sticky : Reason::only_peer) : Choice{};
  }
  if (reason_ == Reason::hash || reason_ == Reason::random) {
    PeerList& list = walk.backups_ ? backups_ : primaries_;
    if (const PeerSlot* bound = take_bound(list, walk, seconds)) {
      return take(*bound, Reason::sticky);
    }
    if (const PeerSlot* slot = choose_at_once(walk, seconds)) {
      return take(*slot, walk.backups_ ? Reason::backup : reason_);
    }
    const bool fallen_back = reason_ == Reason::hash && walk.misses_.too_many();
    return pick_in_turn(walk, seconds, fallen_back ? Reason::hash_fallback : Reason::round_robin);
  }
  if (reason_ == Reason::round_robin) return pick_in_turn(walk, seconds, reason_);
  if (reason_ == Reason::least_conn) {
    return pick_from_lists(walk, seconds, reason_, [&](PeerList& list) {
      return choose_least_conn(list, walk.tried_, seconds);
    });
  }
  const Choice choice = pick_from_lists(walk, seconds, reason_, [&](PeerList& list) {
    return least_time_.choose(list, walk.tried_, now);
  });
  if (choice.peer != nullptr && least_time_.counts_inflight()) {
    least_time_.begin(*choice.peer, walk.start_, now);
  }
  return choice;
}

Pool::Choice Pool::pick_in_turn(Walk& walk, std::int64_t now, Reason reason) {
  return pick_from_lists(walk, now, reason, [&](PeerList& list) {
    return choose_round_robin(list, walk.tried_, now);
  });
}

Pool::Choice Pool::pick_anyway(Walk& walk) {
  const std::lock_guard guard(*lock_);
  for (const PeerList* list : {&primaries_, &backups_}) {
    const PeerSlot* best = nullptr;
    bool best_failed = false;
    for (std::size_t i = 0; i < list->slots.size(); ++i) {
      const PeerSlot& slot = list->slots[i];
      const bool tried = walk.tried_anyway_.contains(slot.index);
      const bool out =
          slot.numbers.down || slot.numbers.drain || slot.numbers.vanished || is_held(slot);
      if (tried || out || is_full(slot)) continue;
      // Rather one that has not failed for this request.
      const bool failed = walk.backups_ == (list == &backups_) && walk.tried_.contains(i);
      const bool better = best == nullptr || (best_failed && !failed) ||
                          (best_failed == failed && is_less_loaded(slot, *best));
      if (!better) continue;
      best = &slot;
      best_failed = failed;
    }
    if (best == nullptr) continue;
    walk.tried_anyway_.insert(best->index);
    return take(*best, Reason::fail_open);
  }
  return {};
}

bool Pool::begin_retry() {
  if (rules_.retry_budget == 0) return true;
  const std::lock_guard guard(*lock_);
  std::uint64_t live = 0;
  for (const auto& peer : peers_) {
    const std::uint64_t conns = peer->conns.load(std::memory_order_relaxed);
    live += conns - std::min<std::uint64_t>(conns, peer->tunnels.load(std::memory_order_relaxed));
  }
  const auto most = std::max<std::uint64_t>(live * rules_.retry_budget / 100, rules_.retry_least);
  if (retrying_ >= most) return false;
  ++retrying_;
  return true;
}

void Pool::end_retry() {
  if (rules_.retry_budget == 0) return;
  const std::lock_guard guard(*lock_);
  --retrying_;
}

// By a hash or a draw; null where round robin must choose. As in nginx these methods go over the
// backups, too, once round robin has come to them for want of a second primary.
PeerSlot* Pool::choose_at_once(Walk& walk, std::int64_t now) {
  PeerList& list = walk.backups_ ? backups_ : primaries_;
  update_load(list);
  const bool ring = balance_ == Balance::hash_consistent;
  if (ring ? ring_.empty() || walk.backups_ : list.slots.size() < 2) return nullptr;
  if (has_slots_ && reason_ == Reason::hash && !ring) return choose_by_slot(walk, list, now);
  switch (balance_) {
    case Balance::ip_hash:
    case Balance::ip_hash_full:
      return walk.ip_hash_.choose(list, walk.tried_, walk.misses_,
                                  balance_ == Balance::ip_hash_full, now);
    case Balance::random:
      return walk.random_.choose(list, walk.tried_, walk.misses_, now);
    case Balance::random_two:
      return walk.random_.choose_of_two(list, walk.tried_, walk.misses_, now, is_less_loaded);
    case Balance::random_two_header:
    case Balance::random_two_last_byte:
      return walk.random_.choose_of_two(
          list, walk.tried_, walk.misses_, now,
          [&](const PeerSlot& a, const PeerSlot& b) { return least_time_.is_sooner(a, b, now); });
    default:
      break;
  }
  if (walk.hash_.key().empty()) return nullptr;
  return ring ? walk.hash_.choose(ring_, list, walk.tried_, walk.misses_, now)
              : walk.hash_.choose(list, walk.tried_, walk.misses_, now);
}

std::optional<std::uint64_t> Pool::slot_key_of(const Walk& walk) const {
  if (!has_slots_ || reason_ != Reason::hash || balance_ == Balance::hash_consistent) {
    return std::nullopt;
  }
  if (balance_ != Balance::hash) {
    return walk.ip_hash_.slot_key(balance_ == Balance::ip_hash_full);
  }
  const auto& key = walk.hash_.key();
  return key.empty() ? std::nullopt : std::optional(slot_key(key));
}

PeerSlot* Pool::choose_by_slot(Walk& walk, PeerList& list, std::int64_t now) {
  const auto key = slot_key_of(walk);
  return key ? choose_by_identity(list, walk.tried_, walk.misses_, *key, now) : nullptr;
}

bool Pool::takes_times() const {
  return reason_ == Reason::least_time || balance_ == Balance::random_two_header ||
         balance_ == Balance::random_two_last_byte;
}

void Pool::head_came(Walk& walk, Peer& peer, Duration header) {
  if (!takes_times() || primaries_.single) return;
  const std::lock_guard guard(*lock_);
  least_time_.head_came(peer, walk.start_, header);
}

void Pool::took(Walk& walk, Peer& peer, const AttemptTimes& times) {
  if (!takes_times() || primaries_.single) return;
  const std::lock_guard guard(*lock_);
  least_time_.end(peer, walk.start_, times);
}

Duration Pool::done(Peer& peer, Outcome outcome, TimePoint now) {
  const std::lock_guard guard(*lock_);
  add_conns(peer, static_cast<std::uint32_t>(-1));
  if (primaries_.single) {
    peer.fails = 0;
    return Duration{0};
  }
  auto ejected = Duration{0};
  if (rules_.eject.on && outcome != Outcome::neutral) {
    if (const auto* slot = find(peer)) ejected = count_for_ejection(*slot, outcome, now);
  }
  count_for_ban(peer, outcome, now);
  return ejected;
}

// nginx's accounts.
void Pool::count_for_ban(Peer& peer, Outcome outcome, TimePoint now) {
  const PeerSlot* slot = nullptr;
  if (outcome == Outcome::success) {
    // The request was let through after a ban, and the peer has not failed since.
    if (peer.accessed >= peer.checked) return;
    if (peer.fails > 0) {
      slot = find(peer);
      if (slot != nullptr && slot->numbers.max_fails > 0 && peer.fails >= slot->numbers.max_fails) {
        peer.ramp.begin(now, slot->numbers.slow_start);
      }
    }
    peer.fails = 0;
    return;
  }
  if (outcome == Outcome::neutral) return;
  slot = find(peer);
  if (slot == nullptr) return;
  apply_recovery(peer, slot->numbers, whole_seconds(now));
  ++peer.fails;
  peer.accessed = peer.checked = whole_seconds(now);
  if (slot->numbers.max_fails > 0) {
    peer.effective_weight -= slot->numbers.weight / slot->numbers.max_fails;
  }
  peer.effective_weight = std::max<std::int64_t>(peer.effective_weight, 0);
}

// Takes the peer out if it has failed too often, and enough others are left. For how long.
Duration Pool::count_for_ejection(const PeerSlot& slot, Outcome outcome, TimePoint now) {
  Peer& peer = *slot.peer;
  if (!peer.eject.count(outcome == Outcome::failure, rules_.eject, now)) return Duration{0};
  const std::int64_t seconds = whole_seconds(now);
  std::uint32_t others = 0;
  for (const PeerList* list : {&primaries_, &backups_}) {
    for (const PeerSlot& each : list->slots) {
      if (each.peer != &peer && is_eligible(each, seconds)) ++others;
    }
  }
  if (others < rules_.eject.min_available) return Duration{0};
  peer.eject.eject(rules_.eject, now);
  peer.ramp.begin(peer.eject.until(), slot.numbers.slow_start);
  peer.ejections.store(peer.ejections.load(std::memory_order_relaxed) + 1,
                       std::memory_order_relaxed);
  return peer.eject.until() - now;
}

const PeerSlot* Pool::find(const Peer& peer) const {
  for (const PeerList* list : {&primaries_, &backups_}) {
    for (const PeerSlot& slot : list->slots) {
      if (slot.peer == &peer) return &slot;
    }
  }
  return nullptr;
}

void Pool::hold(std::uint32_t index, Hold hold, TimePoint now) {
  Peer& peer = *peers_[index];
  const auto slow_start = numbers(index).slow_start;
  const std::lock_guard guard(*lock_);
  const Hold before = peer.hold.exchange(hold, std::memory_order_relaxed);
  if (before != Hold::none && hold == Hold::none) peer.ramp.begin(now, slow_start);
}

std::uint32_t Pool::live(TimePoint now) const {
  const std::int64_t seconds = whole_seconds(now);
  const std::lock_guard guard(*lock_);
  std::uint32_t count = 0;
  for (const PeerList* list : {&primaries_, &backups_}) {
    for (const PeerSlot& slot : list->slots) {
      if (list->single ? is_open(slot) : is_eligible(slot, seconds)) ++count;
    }
  }
  return count;
}

Pool::Account Pool::account(std::uint32_t index, TimePoint now) const {
  const Peer& peer = *peers_[index];
  const PeerSlot* slot = find(peer);
  const std::lock_guard guard(*lock_);
  const auto out = primaries_.single || slot == nullptr
                       ? Closed::no
                       : out_for_failures(*slot, whole_seconds(now));
  return {.fails = peer.fails,
          .checked = peer.checked,
          .accessed = peer.accessed,
          .banned = out != Closed::no,
          .ejected = out == Closed::ejected,
          .ejected_for = out == Closed::ejected ? peer.eject.until() - now : Duration{0},
          .share = slot != nullptr ? slot->peer->ramp.share(now) : Ramp::kWhole};
}

const PeerNumbers& Pool::numbers(std::uint32_t index) const {
  static constexpr PeerNumbers kVanished{.vanished = true};
  const PeerSlot* slot = find(*peers_[index]);
  return slot != nullptr ? slot->numbers : kVanished;
}

const std::string& Pool::sid(std::uint32_t index) const {
  static const std::string kNone;
  const PeerSlot* slot = find(*peers_[index]);
  return slot != nullptr ? slot->sid : kNone;
}

}  // namespace weir::upstream
