#include "base/timer_wheel.h"

#include <algorithm>
#include <bit>

namespace weir {

void TimerWheel::Timer::unlink() {
  if (wheel_ == nullptr) return;
  const auto slot = slot_of(tick_);
  if (prev_ != nullptr) {
    prev_->next_ = next_;
  } else if (firing_) {
    wheel_->firing_ = next_;
  } else {
    wheel_->slots_[slot] = next_;
    if (next_ == nullptr) wheel_->used_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
  }
  if (next_ != nullptr) next_->prev_ = prev_;
  --wheel_->filed_;
  wheel_ = nullptr;
  firing_ = false;
  prev_ = next_ = nullptr;
}

TimerWheel::~TimerWheel() {
  for (auto& head : slots_) {
    while (head != nullptr) head->unlink();
  }
}

void TimerWheel::file(Timer& timer) {
  timer.unlink();
  // A deadline in the past fires at the next advance().
  timer.tick_ = std::max(tick_after(timer.deadline_), current_ + 1);
  const auto slot = slot_of(timer.tick_);
  timer.wheel_ = this;
  timer.next_ = slots_[slot];
  if (timer.next_ != nullptr) timer.next_->prev_ = &timer;
  slots_[slot] = &timer;
  used_[slot / 64] |= std::uint64_t{1} << (slot % 64);
  first_used_ = std::min(first_used_, timer.tick_);
  ++filed_;
}

void TimerWheel::fire_slot(std::int64_t tick, TimePoint now) {
  // The slot's list moves aside first: callbacks may file, move and destroy any timer.
  const auto slot = slot_of(tick);
  firing_ = slots_[slot];
  slots_[slot] = nullptr;
  used_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
  for (Timer* timer = firing_; timer != nullptr; timer = timer->next_) timer->firing_ = true;
  while (firing_ != nullptr) {
    Timer& timer = *firing_;
    const bool due = timer.deadline_ <= now;
    if (timer.deadline_ == Timer::kNever) {
      timer.unlink();
    } else if (!due) {
      file(timer);
    } else {
      timer.unlink();
      timer.deadline_ = Timer::kNever;
      timer.on_expire_(timer);
    }
  }
}

void TimerWheel::advance(TimePoint now) {
  const auto target = tick_of(now);
  if (target - current_ > static_cast<std::int64_t>(kSlots)) {
    // After a long pause every slot is due once; ticks in between have no timers of their own.
    current_ = target - static_cast<std::int64_t>(kSlots);
  }
  while (current_ < target) {
    const auto tick = ++current_;
    if (slots_[slot_of(tick)] != nullptr) fire_slot(tick, now);
  }
}

int TimerWheel::wait_ms(TimePoint now) const {
  if (filed_ == 0) return -1;
  const auto last = current_ + static_cast<std::int64_t>(kSlots);
  for (auto tick = std::max(first_used_, current_ + 1); tick <= last;) {
    const auto slot = slot_of(tick);
    const auto word = used_[slot / 64] >> (slot % 64);
    if (word == 0) {
      tick += static_cast<std::int64_t>(64 - slot % 64);
      continue;
    }
    tick += std::countr_zero(word);
    first_used_ = tick;
    const TimePoint due{tick * kTick};
    return static_cast<int>(std::max<std::int64_t>(0, (due - now).count()));
  }
  return static_cast<int>((kTick * static_cast<int>(kSlots)).count());
}

}  // namespace weir
