// Why a pool chooses whom it chooses: a pick by the same code, on copies of the peers.
#include <mutex>

#include "upstream/pool.h"

namespace weir::upstream {
namespace {

// Empty: it may get the request.
std::string why_closed(const PeerSlot& slot, bool single, std::int64_t now) {
  const Peer& peer = *slot.peer;
  if (is_open(slot) && (single || !is_banned(slot, now))) return {};
  if (slot.numbers.down) return "down in the configuration";
  switch (peer.hold.load(std::memory_order_relaxed)) {
    case Hold::none:
      break;
    case Hold::draining:
      return "draining, set at run time";
    case Hold::down:
      return "down, set at run time";
    case Hold::waiting:
      return "waits for the first peer of the pool, set at run time";
    case Hold::aside:
      return "only another peer is to serve, set at run time";
  }
  const Health health = peer.health.load(std::memory_order_relaxed);
  if (health == Health::down) return "failed its checks";
  if (health == Health::checking) return "has not passed its first check yet";
  if (is_banned(slot, now)) {
    return std::to_string(peer.fails) +
           " failures, max_fails=" + std::to_string(slot.numbers.max_fails) + ", out for " +
           std::to_string(slot.numbers.fail_timeout) + " s after the last one";
  }
  return "max_conns=" + std::to_string(slot.numbers.max_conns) + " reached";
}

const char* why_another(Reason reason, bool backup) {
  if (backup && reason != Reason::backup) return "a backup: only when no primary may";
  switch (reason) {
    case Reason::hash:
      return "the hash names another one";
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
  for (const PeerList* list : {&own->primaries_, &own->backups_}) {
    std::uint64_t point = 0;
    for (const PeerSlot& slot : list->slots) {
      auto& seen = out.peers[slot.index];
      seen.why_not = why_closed(slot, list->single, seconds);
      seen.numbers = slot.numbers;
      seen.first_point = point;
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
  out.has_peer = choice.peer != nullptr;
  out.index = choice.index;
  const PeerList& list = own->primaries_;
  out.total_weight = list.total_weight;
  for (auto& named : out.named) named.slot = list.slots[named.slot].index;
  for (std::size_t i = 0; i < out.peers.size(); ++i) {
    auto& seen = out.peers[i];
    const bool chosen = out.has_peer && i == out.index;
    if (!chosen && seen.why_not.empty()) {
      seen.why_not = why_another(choice.reason, seen.numbers.backup);
    }
  }
  return out;
}

}  // namespace weir::upstream
