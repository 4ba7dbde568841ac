// How long to wait before something that ended is started again: not at all the first time, longer
// and longer while it keeps ending soon after. A value; time is the caller's.
#pragma once

#include <algorithm>

#include "base/clock.h"

namespace weir::main {

class RestartPause {
 public:
  static constexpr Duration kFirst{100};
  static constexpr Duration kLongest{10000};
  // Whoever has run for so long has not failed at its start.
  static constexpr Duration kSound{10000};

  // It has ended after `ran`: the wait before the next start.
  Duration ended(Duration ran) {
    if (ran >= kSound) failures_ = 0;
    const auto doublings = std::min(failures_, 10);
    ++failures_;
    if (doublings == 0) return Duration{0};
    return std::min(kFirst * (1 << (doublings - 1)), kLongest);
  }
  // In a row, at or soon after their starts.
  [[nodiscard]] int failures() const { return failures_; }

 private:
  int failures_ = 0;
};

}  // namespace weir::main
