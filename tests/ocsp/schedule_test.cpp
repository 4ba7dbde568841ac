#include "ocsp/schedule.h"

#include <doctest/doctest.h>

namespace weir::ocsp {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::int64_t kNow = 1'800'000'000;
const WallTime now{seconds{kNow}};

TEST_CASE("a good answer is replaced in time, but not all the time") {
  const struct {
    std::int64_t left;  // seconds
    Duration wait;
  } rows[] = {{7 * 86400, hours{1}}, {2 * 3600, hours{1}}, {3600, minutes{30}}, {600, minutes{5}},
              {100, minutes{1}},     {0, minutes{1}},      {-5, minutes{1}}};
  for (const auto& row : rows) {
    CAPTURE(row.left);
    CHECK(answer_wait(now, kNow + row.left, 0) == row.wait);
    CHECK(answer_wait(now, kNow + row.left, 0.5) == row.wait - row.wait / 20);
  }
  CHECK(answer_wait(now, 0, 0) == hours{1});
}

TEST_CASE("failures wait longer and longer, up to five minutes") {
  CHECK(failure_wait(1, 0) == seconds{2});
  CHECK(failure_wait(2, 0) == seconds{4});
  CHECK(failure_wait(7, 0) == seconds{128});
  CHECK(failure_wait(9, 0) == minutes{5});
  CHECK(failure_wait(4'000'000'000, 0) == minutes{5});
  CHECK(failure_wait(1, 0.5) == Duration{1900});
}

}  // namespace
}  // namespace weir::ocsp
