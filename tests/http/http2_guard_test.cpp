#include "http/http2_guard.h"

#include <doctest/doctest.h>

using weir::Duration;
using weir::TimePoint;
using weir::http::Http2Guard;
using weir::http::Nuisance;

namespace {

constexpr std::uint32_t kLimit = 100;

// How many of them are taken before it is too much, at most `most`.
int taken(Http2Guard& guard, Nuisance what, TimePoint now, int most = 10000) {
  int count = 0;
  while (count < most && guard.note(what, now)) ++count;
  return count;
}

}  // namespace

TEST_CASE("a connection ends at the limit of useless events, whatever they are") {
  for (std::size_t i = 0; i < weir::http::kNuisances; ++i) {
    const auto what = static_cast<Nuisance>(i);
    Http2Guard guard(kLimit, TimePoint{});
    CHECK(taken(guard, what, TimePoint{}) == 100);
    CHECK(guard.worst() == what);
  }
}

TEST_CASE("kinds of events share one account, and the most frequent one is told") {
  Http2Guard guard(kLimit, TimePoint{});
  CHECK(taken(guard, Nuisance::ping, TimePoint{}, 30) == 30);
  CHECK(taken(guard, Nuisance::reset, TimePoint{}) == 70);
  CHECK(guard.worst() == Nuisance::reset);
}

TEST_CASE("a tenth of the limit is forgiven each second") {
  Http2Guard guard(kLimit, TimePoint{});
  TimePoint now{};
  // An hour of ten a second, which is what is forgiven.
  for (int second = 0; second < 3600; ++second) {
    now += Duration{1000};
    CHECK(taken(guard, Nuisance::ping, now, 10) == 10);
  }
  Http2Guard faster(kLimit, now);
  int second = 0;
  for (; second < 3600; ++second) {
    now += Duration{1000};
    if (taken(faster, Nuisance::ping, now, 20) < 20) break;
  }
  CHECK(second < 20);
}

TEST_CASE("work done pays for window updates, and for no resets") {
  Http2Guard guard(kLimit, TimePoint{});
  guard.pay(5000);
  CHECK(taken(guard, Nuisance::window_update, TimePoint{}, 5000) == 5000);
  CHECK(taken(guard, Nuisance::window_update, TimePoint{}) == 100);
  Http2Guard other(kLimit, TimePoint{});
  other.pay(5000);
  CHECK(taken(other, Nuisance::reset, TimePoint{}) == 100);
}
