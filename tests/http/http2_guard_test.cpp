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
  for (int i = 0; i < 2500; ++i) guard.sent(16384, false);
  CHECK(taken(guard, Nuisance::window_update, TimePoint{}, 5000) == 5000);
  CHECK(taken(guard, Nuisance::window_update, TimePoint{}) == 100);
  Http2Guard other(kLimit, TimePoint{});
  for (int i = 0; i < 2500; ++i) other.sent(16384, true);
  CHECK(taken(other, Nuisance::reset, TimePoint{}) == 100);
}

TEST_CASE("of the users of a connection, a third may cancel for good") {
  for (const auto what : {Nuisance::reset, Nuisance::bad_stream, Nuisance::stall}) {
    Http2Guard guard(kLimit, TimePoint{});
    for (int i = 0; i < 10000; ++i) {
      guard.answered();
      guard.answered();
      REQUIRE(guard.note(what, TimePoint{}));
    }
    CHECK(taken(guard, what, TimePoint{}) == 100);
  }
  Http2Guard half(kLimit, TimePoint{});
  int count = 0;
  do {
    half.answered();
  } while (++count < 10000 && half.note(Nuisance::reset, TimePoint{}));
  CHECK(count < 250);
}

TEST_CASE("answers pay for a hundred resets to come, and not for a thousand") {
  Http2Guard guard(kLimit, TimePoint{});
  for (int i = 0; i < 10000; ++i) guard.answered();
  CHECK(taken(guard, Nuisance::reset, TimePoint{}) == 200);
}

TEST_CASE("answers pay for no frames that have nothing to do with requests") {
  for (const auto what : {Nuisance::empty_data, Nuisance::continuation}) {
    Http2Guard guard(kLimit, TimePoint{});
    for (int i = 0; i < 10000; ++i) guard.answered();
    CHECK(taken(guard, what, TimePoint{}) == 100);
  }
}

TEST_CASE("frames pay for their updates, however small the application made them") {
  Http2Guard guard(kLimit, TimePoint{});
  for (int i = 0; i < 10000; ++i) {
    guard.sent(1, true);
    REQUIRE(guard.note(Nuisance::window_update, TimePoint{}, 2));
  }
}

TEST_CASE("frames that the client's window makes small pay, but for next to nothing") {
  const auto sent = [](std::size_t size) {
    Http2Guard guard(kLimit, TimePoint{});
    int count = 0;
    do {
      guard.sent(size, false);
    } while (++count < 10000 && guard.note(Nuisance::window_update, TimePoint{}, 2));
    return count;
  };
  CHECK(sent(100) == 10000);
  CHECK(sent(8) == 10000);
  CHECK(sent(4) < 110);
  CHECK(sent(1) < 70);
}

TEST_CASE("the last bytes of a window pay, too, and a download not for a flood that follows") {
  Http2Guard guard(kLimit, TimePoint{});
  for (int i = 0; i < 10000; ++i) {
    guard.sent(16384, false);
    guard.sent(1, false);
    REQUIRE(guard.note(Nuisance::window_update, TimePoint{}, 4));
  }
  int count = 0;
  do {
    guard.sent(1, false);
  } while (++count < 10000 && guard.note(Nuisance::window_update, TimePoint{}, 2));
  CHECK(count < 250);
}
