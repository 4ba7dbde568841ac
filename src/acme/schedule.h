// When a certificate is to be ordered: decisions on times that are given. Pure; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "base/clock.h"

namespace weir::acme {

// After two thirds of its life, and up to a fiftieth of it later: `share` is in [0, 1). Times are
// seconds since the epoch.
[[nodiscard]] WallTime renewal_time(std::int64_t not_before, std::int64_t not_after, double share);

// How long to wait after so many failures in a row (1 or more): `first`, doubled each time up to a
// day, and up to a tenth more by `share`; never less than what the server asked for.
[[nodiscard]] Duration retry_wait(Duration first, std::uint32_t failures, Duration asked,
                                  double share);

// A Retry-After (RFC 9110 section 10.2.3): seconds or a date; 0: none that can be read. At most a
// day.
[[nodiscard]] Duration retry_after(std::string_view field, WallTime now);

}  // namespace weir::acme
