#include "upstream/pool.h"

#include <algorithm>
#include <mutex>
#include <utility>

namespace weir::upstream {
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

// Only the holder of the pool lock changes the number, so a plain store will do.
void add_conns(Peer& peer, std::uint32_t by) {
  peer.conns.store(peer.conns.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

}  // namespace

const char* to_string(Reason reason) {
  switch (reason) {
    case Reason::round_robin:
      return "rr";
    case Reason::ip_hash:
      return "hash";
    case Reason::hash_fallback:
      return "hash-fallback";
    case Reason::only_peer:
      return "single";
    case Reason::backup:
      return "backup";
    case Reason::none_live:
      return "no-live";
  }
  return "";
}

void Walk::reset(const IpAddress& client) {
  hash_.reset(client);
  tried_.clear();
  backups_ = false;
}

Pool::Pool(std::string name, config::Balance balance, std::vector<std::shared_ptr<Peer>> peers)
    : Pool(std::move(name), balance, peers, own_specs(peers), std::make_shared<SpinLock>()) {}

Pool::Pool(std::string name, config::Balance balance, std::vector<std::shared_ptr<Peer>> peers,
           std::span<const PeerSpec> specs, std::shared_ptr<SpinLock> lock)
    : name_(std::move(name)), balance_(balance), peers_(std::move(peers)), lock_(std::move(lock)) {
  std::uint32_t tries = 0;
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    const PeerSpec& spec = specs[i];
    PeerList& list = spec.backup ? backups_ : primaries_;
    list.slots.push_back({.peer = peers_[i].get(),
                          .index = static_cast<std::uint32_t>(i),
                          .numbers = {.weight = spec.weight,
                                      .max_fails = spec.max_fails,
                                      .max_conns = spec.max_conns,
                                      .fail_timeout = spec.fail_timeout.count(),
                                      .down = spec.down,
                                      .backup = spec.backup}});
    list.total_weight += spec.weight;
    if (!spec.down) ++tries;
  }
  primaries_.single = primaries_.slots.size() == 1 && backups_.slots.empty();
  max_tries_ = std::max(tries, 1u);
}

Pool::Choice Pool::take(const PeerSlot& slot, Reason reason) {
  add_conns(*slot.peer, 1);
  return {.peer = slot.peer, .index = slot.index, .reason = reason};
}

Pool::Choice Pool::pick(Walk& walk, TimePoint now) {
  const std::int64_t seconds = whole_seconds(now);
  const std::lock_guard guard(*lock_);
  if (primaries_.single) {
    const PeerSlot& slot = primaries_.slots.front();
    return is_open(slot) ? take(slot, Reason::only_peer) : Choice{};
  }
  if (balance_ == config::Balance::ip_hash && primaries_.slots.size() >= 2 &&
      !walk.hash_.exhausted()) {
    if (const auto* slot = walk.hash_.choose(primaries_, walk.tried_, seconds)) {
      return take(*slot, Reason::ip_hash);
    }
  }
  return pick_round_robin(walk, seconds);
}

Pool::Choice Pool::pick_round_robin(Walk& walk, std::int64_t now) {
  if (!walk.backups_) {
    if (const auto* slot = choose_round_robin(primaries_, walk.tried_, now)) {
      return take(*slot, walk.hash_.exhausted() ? Reason::hash_fallback : Reason::round_robin);
    }
    if (backups_.slots.empty()) return {};
    walk.backups_ = true;
    walk.tried_.clear();
  }
  const auto* slot = choose_round_robin(backups_, walk.tried_, now);
  return slot != nullptr ? take(*slot, Reason::backup) : Choice{};
}

void Pool::done(Peer& peer, Outcome outcome, TimePoint now) {
  const std::lock_guard guard(*lock_);
  add_conns(peer, static_cast<std::uint32_t>(-1));
  if (primaries_.single) {
    peer.fails = 0;
    return;
  }
  if (outcome == Outcome::success) {
    // The request was let through after a ban, and the peer has not failed since.
    if (peer.accessed < peer.checked) peer.fails = 0;
    return;
  }
  if (outcome == Outcome::neutral) return;
  const PeerSlot* slot = find(peer);
  if (slot == nullptr) return;
  apply_recovery(peer, slot->numbers);
  ++peer.fails;
  peer.accessed = peer.checked = whole_seconds(now);
  if (slot->numbers.max_fails > 0) {
    peer.effective_weight -= slot->numbers.weight / slot->numbers.max_fails;
  }
  peer.effective_weight = std::max<std::int64_t>(peer.effective_weight, 0);
}

const PeerSlot* Pool::find(const Peer& peer) const {
  for (const PeerList* list : {&primaries_, &backups_}) {
    for (const PeerSlot& slot : list->slots) {
      if (slot.peer == &peer) return &slot;
    }
  }
  return nullptr;
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
  const PeerSlot& slot = *find(peer);
  const std::lock_guard guard(*lock_);
  const bool banned = !primaries_.single && is_banned(slot, whole_seconds(now));
  return {
      .fails = peer.fails, .checked = peer.checked, .accessed = peer.accessed, .banned = banned};
}

const PeerNumbers& Pool::numbers(std::uint32_t index) const {
  return find(*peers_[index])->numbers;
}

}  // namespace weir::upstream
