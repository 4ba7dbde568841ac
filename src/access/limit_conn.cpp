#include "access/limit_conn.h"

#include <mutex>
#include <utility>

namespace weir::access {
namespace {

// What nginx needs for a key besides its bytes, on 64 bits.
constexpr std::size_t kOverhead = 36;

}  // namespace

ConnectionZone::ConnectionZone(std::size_t bytes, HashSeed seed) : table_(bytes, kOverhead, seed) {}

std::size_t ConnectionZone::size() {
  const std::lock_guard guard(lock_);
  return table_.size();
}

ConnectionLease::ConnectionLease(ConnectionLease&& other) noexcept
    : zone_(std::move(other.zone_)), node_(std::exchange(other.node_, nullptr)) {}

ConnectionLease& ConnectionLease::operator=(ConnectionLease&& other) noexcept {
  if (this == &other) return *this;
  release();
  zone_ = std::move(other.zone_);
  node_ = std::exchange(other.node_, nullptr);
  return *this;
}

ConnectionLease::Outcome ConnectionLease::take(std::shared_ptr<ConnectionZone> zone,
                                               std::string_view key, std::uint32_t most) {
  release();
  const auto hash = zone->table_.hash(key);
  // With the lock held. False: the key is not known.
  auto outcome = Outcome::limit_reached;
  const auto enter_known = [&] {
    auto* const node = zone->table_.find(key, hash);
    if (node == nullptr) return false;
    if (node->state.requests < most) {
      ++node->state.requests;
      node_ = node;
      outcome = Outcome::taken;
    }
    return true;
  };
  Table::NodePointer made;  // freed after the lock if it is not needed
  std::unique_lock guard(zone->lock_);
  if (!enter_known()) {
    guard.unlock();
    made = Table::make(key, hash);
    guard.lock();
    // Another thread may have been faster.
    if (!enter_known()) {
      if (!zone->table_.has_room_for(key)) return Outcome::out_of_memory;
      node_ = &zone->table_.insert(std::move(made));
      node_->state.requests = 1;
      outcome = Outcome::taken;
    }
  }
  guard.unlock();
  if (outcome == Outcome::taken) zone_ = std::move(zone);
  return outcome;
}

void ConnectionLease::release() {
  if (node_ == nullptr) return;
  Table::NodePointer unused;  // freed after the lock
  {
    const std::lock_guard guard(zone_->lock_);
    if (--node_->state.requests == 0) unused = zone_->table_.take(*node_);
  }
  node_ = nullptr;
  zone_.reset();
}

ConnectionDecision limit_connections(std::span<const ConnectionLimit> limits,
                                     std::span<const std::string_view> keys,
                                     ConnectionLeases& leases) {
  using Outcome = ConnectionLease::Outcome;
  ConnectionDecision decision;
  leases.clear();
  for (std::size_t i = 0; i < limits.size(); ++i) {
    if (keys[i].empty() || keys[i].size() > kMaxConnectionKey) continue;
    const auto outcome = leases.emplace_back().take(limits[i].zone, keys[i], limits[i].most);
    if (outcome != Outcome::taken) {
      leases.clear();
      return {ConnectionVerdict::rejected, i, outcome == Outcome::out_of_memory};
    }
    decision.verdict = ConnectionVerdict::passed;
  }
  return decision;
}

std::string_view connection_status(ConnectionVerdict verdict, bool dry_run) {
  switch (verdict) {
    case ConnectionVerdict::unlimited:
      return {};
    case ConnectionVerdict::passed:
      return "PASSED";
    case ConnectionVerdict::rejected:
      return dry_run ? "REJECTED_DRY_RUN" : "REJECTED";
  }
  return {};
}

}  // namespace weir::access
