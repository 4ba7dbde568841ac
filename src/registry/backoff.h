// How long to wait before the next attempt to reach a server: twice as long each time, with jitter
// so that many clients of a server that comes back do not come all at once. A value; one thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>

#include "base/clock.h"

namespace weir::registry {

// A number from 0 to `below` - 1.
using Random = std::function<std::uint64_t(std::uint64_t below)>;

class Backoff {
 public:
  static constexpr Duration kFirst{100};
  static constexpr Duration kMost{5000};

  // Between half of the present step and all of it.
  [[nodiscard]] Duration next(const Random& random) {
    const auto step = static_cast<std::uint64_t>(step_.count());
    step_ = std::min(step_ * 2, kMost);
    return Duration{static_cast<Duration::rep>(step / 2 + random(step - step / 2 + 1))};
  }
  // It was reached.
  void reset() { step_ = kFirst; }

 private:
  Duration step_ = kFirst;
};

}  // namespace weir::registry
