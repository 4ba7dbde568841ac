// A coarse timer wheel: thousands of time-outs that are almost always moved before they expire.
//
// Moving a deadline later only stores it; the timer is filed again when its old slot comes round.
// Timers never fire early, and at most one tick late. One thread; a Timer belongs to whoever waits
// and takes itself out of the wheel when it dies.
#pragma once

#include <array>
#include <cstdint>
#include <limits>

#include "base/clock.h"

namespace weir {

class TimerWheel {
 public:
  static constexpr Duration kTick{16};

  class Timer {
   public:
    using Callback = void (*)(Timer&);
    explicit Timer(Callback on_expire) : on_expire_(on_expire) {}
    ~Timer() { unlink(); }
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    [[nodiscard]] bool armed() const { return deadline_ != kNever; }
    [[nodiscard]] TimePoint deadline() const { return deadline_; }
    // The timer will not fire; it may stay filed until its slot comes round.
    void disarm() { deadline_ = kNever; }

   private:
    friend class TimerWheel;
    static constexpr TimePoint kNever = TimePoint::max();
    void unlink();

    Callback on_expire_;
    TimePoint deadline_ = kNever;
    TimerWheel* wheel_ = nullptr;  // null: not filed
    Timer* prev_ = nullptr;
    Timer* next_ = nullptr;
    std::int64_t tick_ = 0;  // the tick it is filed under
    bool firing_ = false;    // in TimerWheel::firing_, no more in its slot
  };

  explicit TimerWheel(TimePoint now) : current_(tick_of(now)) {}
  ~TimerWheel();
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Sets or moves the deadline.
  void arm(Timer& timer, TimePoint deadline) {
    timer.deadline_ = deadline;
    if (timer.wheel_ == nullptr || tick_after(deadline) < timer.tick_) file(timer);
  }
  // Fires what is due at `now`. Callbacks may arm, disarm and destroy any timer.
  void advance(TimePoint now);
  // Milliseconds from `now` until something may be due; -1 if nothing is filed.
  [[nodiscard]] int wait_ms(TimePoint now) const;

 private:
  static constexpr std::size_t kSlots = 4096;
  static std::int64_t tick_of(TimePoint at) { return at.time_since_epoch() / kTick; }
  // The first tick that begins at or after `at`.
  static std::int64_t tick_after(TimePoint at) {
    return (at.time_since_epoch() + kTick - Duration{1}) / kTick;
  }
  static std::size_t slot_of(std::int64_t tick) {
    return static_cast<std::size_t>(tick) & (kSlots - 1);
  }
  void file(Timer& timer);
  void fire_slot(std::int64_t tick, TimePoint now);

  std::array<Timer*, kSlots> slots_{};
  std::array<std::uint64_t, kSlots / 64> used_{};
  std::int64_t current_;  // every tick up to this one has been fired
  // No slot before this tick is in use; where wait_ms() begins to look.
  mutable std::int64_t first_used_ = 0;
  std::size_t filed_ = 0;
  Timer* firing_ = nullptr;  // what is left of the slot that advance() is working on
};

}  // namespace weir
