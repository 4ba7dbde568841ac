// slow_start: a peer that came back gets its share of the requests little by little, so that its
// caches and pools can fill. Pure; used under the pool lock.
//
// In the first tenth of the time a peer counts for a tenth of its weight, then for as much as has
// passed. Methods that compare loads scale the weight (share()); for those that take turns, each
// turn of the peer adds its share to what it has saved up, and only a whole one is taken
// (admits()).
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.h"

namespace weir::upstream {

class Ramp {
 public:
  static constexpr std::uint32_t kWhole = 1000;  // a share of one

  void begin(TimePoint now, Duration length) {
    if (length <= Duration{0}) return;
    began_ = now;
    length_ = length;
    saved_ = 0;
  }
  [[nodiscard]] bool runs() const { return length_ > Duration{0}; }
  // In thousandths; kWhole once the time has passed, and for good.
  [[nodiscard]] std::uint32_t share(TimePoint now) {
    if (!runs()) return kWhole;
    const auto passed = now - began_;
    if (passed >= length_) {
      length_ = Duration{0};
      return kWhole;
    }
    const auto part = passed.count() * kWhole / length_.count();
    return static_cast<std::uint32_t>(std::max<std::int64_t>(part, kWhole / 10));
  }
  // Whether this turn of the peer is one to take.
  [[nodiscard]] bool admits(TimePoint now) {
    const auto part = share(now);
    if (part == kWhole) return true;
    saved_ += part;
    if (saved_ < kWhole) return false;
    saved_ -= kWhole;
    return true;
  }

 private:
  TimePoint began_{};
  Duration length_{0};  // 0: it is not running
  std::uint32_t saved_ = 0;
};

}  // namespace weir::upstream
