#include "proxy/pool_queue.h"

#include <mutex>

namespace weir::proxy {

PoolQueue::Ticket::Ticket(PoolQueue& queue, net::Loop& loop, net::Waiter& waiter)
    : queue_(queue), place_(std::make_shared<Place>(Place{.loop = &loop, .waiter = &waiter})) {}

PoolQueue::Ticket::~Ticket() {
  place_->waiter = nullptr;
  if (!joined_) return;
  bool pass_on = false;
  {
    const std::lock_guard guard(queue_.lock_);
    pass_on = place_->woken && !served_;
    queue_.places_.erase(at_);
    queue_.size_.fetch_sub(1, std::memory_order_relaxed);
  }
  if (pass_on) queue_.wake_one();
}

bool PoolQueue::Ticket::join(std::uint32_t most) {
  const std::lock_guard guard(queue_.lock_);
  if (queue_.places_.size() >= most) return false;
  at_ = queue_.places_.insert(queue_.places_.end(), place_);
  queue_.size_.fetch_add(1, std::memory_order_relaxed);
  joined_ = true;
  return true;
}

void PoolQueue::Ticket::missed() {
  const std::lock_guard guard(queue_.lock_);
  place_->woken = false;
}

void PoolQueue::wake_one() {
  const std::lock_guard guard(lock_);
  for (const auto& place : places_) {
    if (place->woken) continue;
    return wake(place);
  }
}

void PoolQueue::wake_all() {
  const std::lock_guard guard(lock_);
  for (const auto& place : places_) {
    if (!place->woken) wake(place);
  }
}

// Under the lock: who is in the queue has a loop that runs.
void PoolQueue::wake(const std::shared_ptr<Ticket::Place>& place) {
  place->woken = true;
  place->loop->post([place] {
    if (place->waiter != nullptr) place->waiter->notify();
  });
}

}  // namespace weir::proxy
