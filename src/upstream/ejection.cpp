#include "upstream/ejection.h"

#include <algorithm>

namespace weir::upstream {

bool Ejection::count(bool failed, const config::EjectConfig& config, TimePoint now) {
  const auto width = std::max<std::int64_t>(config.window.count() / std::int64_t{kBuckets}, 1);
  const auto number = now.time_since_epoch().count() / width;
  auto& bucket = buckets_[static_cast<std::size_t>(number) % kBuckets];
  if (bucket.number != number) bucket = {.number = number};
  ++(failed ? bucket.bad : bucket.good);
  in_row_ = failed ? in_row_ + 1 : 0;
  if (!failed || is_out(now)) return false;
  if (in_row_ >= config.in_row) return true;
  std::uint64_t good = 0, bad = 0;
  for (const auto& each : buckets_) {
    if (number - each.number >= static_cast<std::int64_t>(kBuckets)) continue;
    good += each.good;
    bad += each.bad;
  }
  return good + bad >= config.requests && bad * 100 >= config.percent * (good + bad);
}

void Ejection::eject(const config::EjectConfig& config, TimePoint now) {
  // Long ago: as if it were the first time.
  if (until_ != TimePoint::min() && now - until_ > config.most) times_ = 0;
  auto time = config.base;
  for (std::uint32_t i = 0; i < times_ && time < config.most; ++i) time *= 2;
  until_ = now + std::min(time, config.most);
  ++times_;
  in_row_ = 0;
  buckets_ = {};
}

void Ejection::forgive() {
  until_ = TimePoint::min();
  in_row_ = 0;
  buckets_ = {};
}

}  // namespace weir::upstream
