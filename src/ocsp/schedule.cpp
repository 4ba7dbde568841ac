#include "ocsp/schedule.h"

#include <algorithm>
#include <chrono>

namespace weir::ocsp {
namespace {

// A responder whose answers are good for a moment is not asked all the time.
constexpr Duration kLeast = std::chrono::minutes{1};
constexpr Duration kLongest = std::chrono::hours{1};
constexpr Duration kFirstFailure = std::chrono::seconds{2};
constexpr Duration kLongestFailure = std::chrono::minutes{5};

Duration spread(Duration wait, double share) {
  return wait - Duration{static_cast<std::int64_t>(static_cast<double>(wait.count()) / 10 * share)};
}

}  // namespace

Duration answer_wait(WallTime now, std::int64_t next_update, double share) {
  if (next_update == 0) return spread(kLongest, share);
  const Duration left = WallTime{std::chrono::seconds{next_update}} - now;
  return spread(std::clamp(left / 2, kLeast, kLongest), share);
}

Duration failure_wait(std::uint32_t failures, double share) {
  auto wait = kFirstFailure;
  for (std::uint32_t i = 1; i < failures && wait < kLongestFailure; ++i) wait *= 2;
  return spread(std::min(wait, kLongestFailure), share);
}

}  // namespace weir::ocsp
