// Why a pool chooses whom it chooses: a pick by the same code, on copies of the peers.
#include <mutex>

#include "upstream/pool.h"
#include "upstream/slot_hash.h"

namespace weir::upstream {
namespace {

constexpr const char* kVanished = "its name has another address now";
constexpr const char* kOverloaded = "it has more than its share of the load";

// Empty: it may get the request.
std::string why_not(const PeerSlot& slot, bool single, std::int64_t now) {
  const Peer& peer = *slot.peer;
  if (is_open(slot) && (single || !is_banned(slot, now))) return {};
  switch (why_closed(slot, now)) {
    case Closed::no:
      return {};
    case Closed::vanished:
      return kVanished;
    case Closed::overloaded:
      return kOverloaded;
    case Closed::down:
      return slot.numbers.down ? "down in the configuration" : "down, set at run time";
    case Closed::drain:
      return slot.numbers.drain ? "drain in the configuration" : "draining, set at run time";
    case Closed::held:
      return peer.hold.load(std::memory_order_relaxed) == Hold::waiting
                 ? "waits for the first peer of the pool, set at run time"
                 : "only another peer is to serve, set at run time";
    case Closed::unhealthy:
      return "failed its checks";
    case Closed::checking:
      return "has not passed its first check yet";
    case Closed::failed:
      return std::to_string(peer.fails) +
             " failures, max_fails=" + std::to_string(slot.numbers.max_fails) + ", out for " +
             std::to_string(slot.numbers.fail_timeout) + " s after the last one";
    case Closed::ejected:
      return "ejected: too many of its requests failed";
    case Closed::max_conns:
      return "max_conns=" + std::to_string(slot.numbers.max_conns) + " reached";
  }
  return {};
}

const char* why_another(Reason reason, bool backup) {
  if (backup && reason != Reason::backup) return "a backup: only when no primary may";
  switch (reason) {
    case Reason::hash:
      return "the hash names another one";
    case Reason::sticky:
      return "the client is bound to another one";
    case Reason::random:
      return "another one was drawn";
    case Reason::least_conn:
      return "another one has fewer connections for its weight, or it was that one's turn";
    case Reason::least_time:
      return "another one is expected to answer sooner";
    default:
      return "it is another one's turn";
  }
}

}  // namespace

std::unique_ptr<Pool> Pool::copy() const {
  auto copy = std::unique_ptr<Pool>(new Pool(*this));
  copy->lock_ = std::make_shared<SpinLock>();
  const std::lock_guard guard(*lock_);
  for (auto& peer : copy->peers_) peer = copy_peer(*peer);
  for (PeerList* list : {&copy->primaries_, &copy->backups_}) {
    for (PeerSlot& slot : list->slots) slot.peer = copy->peers_[slot.index].get();
  }
  return copy;
}

Pool::Explained Pool::explain(const Walk& walk, TimePoint now) const {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
  const auto own = copy();
  Explained out;
  out.ring_points = ring_.size();
  out.peers.resize(peers_.size());
  for (auto& seen : out.peers) seen.why_not = kVanished;  // some have no slot
  const auto key = slot_key_of(walk);
  out.by_slots = key.has_value();
  for (const PeerList* list : {&own->primaries_, &own->backups_}) {
    std::uint64_t point = 0;
    for (const PeerSlot& slot : list->slots) {
      auto& seen = out.peers[slot.index];
      seen.why_not = why_not(slot, list->single, seconds);
      seen.numbers = slot.numbers;
      seen.first_point = point;
      if (key) seen.score = identity_score(*key, slot);
      seen.effective_weight = slot.peer->effective_weight;
      seen.current_weight = slot.peer->current_weight;
      seen.conns = slot.peer->conns.load(std::memory_order_relaxed);
      seen.header_time = slot.peer->header_time;
      seen.response_time = slot.peer->response_time;
      point += slot.numbers.weight;
    }
  }
  Walk copied = walk;
  copied.misses_.trace(&out.named);
  const Choice choice = own->pick(copied, now);
  out.reason = choice.reason;
  out.skipped = choice.skipped;
  out.has_peer = choice.peer != nullptr;
  out.index = choice.index;
  const PeerList& list = own->primaries_;
  out.total_weight = list.total_weight;
  for (auto& named : out.named) {
    auto& seen = out.peers[named.slot];
    const bool overloaded = !named.taken && list.load_bound > 0 && seen.why_not.empty();
    if (overloaded) seen.why_not = kOverloaded;
  }
  for (std::size_t i = 0; i < out.peers.size(); ++i) {
    auto& seen = out.peers[i];
    const bool chosen = out.has_peer && i == out.index;
    if (chosen) {
      seen.why_not.clear();
    } else if (seen.why_not.empty()) {
      seen.why_not = why_another(choice.reason, seen.numbers.backup);
    }
  }
  return out;
}

}  // namespace weir::upstream
