#include "acme/schedule.h"

#include <doctest/doctest.h>

namespace weir::acme {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

TEST_CASE("a certificate is renewed after two thirds of its life, and a little more") {
  const std::int64_t begin = 1'000'000, life = 90 * 86400;
  const auto at = [&](double share) {
    return std::chrono::duration_cast<seconds>(
               renewal_time(begin, begin + life, share).time_since_epoch())
               .count() -
           begin;
  };
  CHECK(at(0) == 60 * 86400);
  CHECK(at(0.5) > 60 * 86400);
  CHECK(at(0.999) < 62 * 86400);
  CHECK(renewal_time(5, 5, 0.5) == WallTime{seconds{5}});
}

TEST_CASE("failures wait longer and longer, up to a day, and as long as the server asks") {
  const Duration first = std::chrono::minutes{1};
  CHECK(retry_wait(first, 1, Duration{0}, 0) == first);
  CHECK(retry_wait(first, 2, Duration{0}, 0) == 2 * first);
  CHECK(retry_wait(first, 4, Duration{0}, 0) == 8 * first);
  CHECK(retry_wait(first, 1000, Duration{0}, 0) == hours{24});
  CHECK(retry_wait(first, 1, Duration{0}, 0.5) == first + Duration{3000});
  CHECK(retry_wait(first, 1, hours{3}, 0) == hours{3});
}

TEST_CASE("Retry-After is seconds or a date") {
  const WallTime now{seconds{784111777}};  // Sun, 06 Nov 1994 08:49:37 GMT
  const struct {
    const char* field;
    Duration wait;
  } rows[] = {{"", Duration{0}},
              {"5", seconds{5}},
              {"-5", Duration{0}},
              {"99999999999", hours{24}},
              {"Sun, 06 Nov 1994 08:50:37 GMT", seconds{60}},
              {"Sun, 06 Nov 1994 08:48:37 GMT", Duration{0}},
              {"Sun, 06 Nov 2094 08:48:37 GMT", hours{24}},
              {"soon", Duration{0}}};
  for (const auto& row : rows) {
    CAPTURE(row.field);
    CHECK(retry_after(row.field, now) == row.wait);
  }
}

}  // namespace
}  // namespace weir::acme
