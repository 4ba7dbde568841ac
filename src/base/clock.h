// Time is injected: decisions take `now`, whatever waits takes a Clock.
//
// Monotonic time has millisecond resolution everywhere in weir. SystemClock is safe in any thread;
// ManualClock belongs to the test that moves it.
#pragma once

#include <chrono>
#include <ctime>

namespace weir {

using Duration = std::chrono::milliseconds;
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual TimePoint now() const = 0;
  [[nodiscard]] virtual WallTime wall() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] TimePoint now() const override {
    return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
  }
  [[nodiscard]] WallTime wall() const override {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  }
};

// Virtual time: stands still until it is told to move.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(TimePoint start = TimePoint{std::chrono::hours{1}},
                       WallTime wall = WallTime{std::chrono::hours{480000}})
      : now_(start), wall_(wall) {}
  [[nodiscard]] TimePoint now() const override { return now_; }
  [[nodiscard]] WallTime wall() const override { return wall_; }
  void advance(Duration by) {
    now_ += by;
    wall_ += by;
  }

 private:
  TimePoint now_;
  WallTime wall_;
};

}  // namespace weir
