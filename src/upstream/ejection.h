// The passive side of health in the careful dialect: a peer whose requests fail too often, or
// several times in a row, gets none for a while, and each time for longer. Pure; used under the
// pool lock. nginx's max_fails is counted beside it (peer_list.h).
#pragma once

#include <array>
#include <cstdint>

#include "base/clock.h"
#include "config/upstream_config.h"

namespace weir::upstream {

// One peer's account.
class Ejection {
 public:
  // After an attempt. True: the peer is to be taken out, if enough others are left (eject()).
  [[nodiscard]] bool count(bool failed, const config::EjectConfig& config, TimePoint now);
  // Takes it out; the time doubles from once to once, and falls back after `most` without failure.
  void eject(const config::EjectConfig& config, TimePoint now);
  // Active checks saw it come back.
  void forgive();
  [[nodiscard]] bool is_out(TimePoint now) const { return now < until_; }
  [[nodiscard]] TimePoint until() const { return until_; }
  [[nodiscard]] std::uint32_t times() const { return times_; }

 private:
  static constexpr std::size_t kBuckets = 10;
  struct Bucket {
    std::int64_t number = -1;  // of the tenth of a window that it counts
    std::uint32_t good = 0;
    std::uint32_t bad = 0;
  };
  std::array<Bucket, kBuckets> buckets_{};
  std::uint32_t in_row_ = 0;
  std::uint32_t times_ = 0;
  TimePoint until_ = TimePoint::min();
};

}  // namespace weir::upstream
