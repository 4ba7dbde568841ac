#include "proxy/start_grace.h"

#include <algorithm>

namespace weir::proxy {

using upstream::Health;

StartGrace::StartGrace(const upstream::Pool& pool, Duration most) : most_(most) {
  for (std::uint32_t i = 0; i < pool.peers().size(); ++i) {
    const auto& numbers = pool.numbers(i);
    if (!numbers.down && !numbers.drain && !numbers.vanished) peers_.push_back(pool.peers()[i]);
  }
}

bool StartGrace::is_open() const {
  bool waits = false;
  for (const auto& peer : peers_) {
    if (peer->hold.load(std::memory_order_relaxed) != upstream::Hold::none) continue;
    const Health health = peer->health.load(std::memory_order_acquire);
    if (health == Health::up || health == Health::unchecked) return true;
    waits = waits || health == Health::checking;
  }
  return !waits;
}

bool StartGrace::holds(TimePoint now) {
  if (over_.load(std::memory_order_relaxed)) return false;
  const auto end = end_.load(std::memory_order_relaxed);
  const bool late = end != 0 && now.time_since_epoch().count() >= end;
  if (!late && !is_open()) return true;
  over_.store(true, std::memory_order_relaxed);
  return false;
}

TimePoint StartGrace::end(TimePoint now) {
  Duration::rep none = 0;
  const auto mine = (now + most_).time_since_epoch().count();
  end_.compare_exchange_strong(none, mine, std::memory_order_relaxed);
  return TimePoint(Duration(none == 0 ? mine : none));
}

void StartWaits::wake() {
  // The woken ones run later in this turn: the list stays as it is meanwhile.
  for (Place* place = first_; place != nullptr; place = place->next) place->waiter.notify();
}

net::Task<void> StartWaits::wait(StartGrace& grace, net::Loop& loop, net::Waiter& waiter) {
  const Place place(*this, waiter);
  const TimePoint end = grace.end(loop.now());
  while (grace.holds(loop.now())) {
    if (co_await waiter.wait(end) == net::Wake::cancelled) break;
  }
}

StartWaits::Place::Place(StartWaits& list_, net::Waiter& waiter_)
    : list(list_), waiter(waiter_), next(list_.first_) {
  if (next != nullptr) next->prev = this;
  list.first_ = this;
}

StartWaits::Place::~Place() {
  (prev != nullptr ? prev->next : list.first_) = next;
  if (next != nullptr) next->prev = prev;
}

}  // namespace weir::proxy
