// When a responder of OCSP is to be asked: decisions on times that are given. Pure; any thread.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace weir::ocsp {

// How long to wait after a good answer, which is to be replaced at `next_update` (seconds since the
// epoch; 0: it does not say): half of that, an hour at most, and up to a tenth less by `share`,
// which is in [0, 1).
[[nodiscard]] Duration answer_wait(WallTime now, std::int64_t next_update, double share);

// How long to wait after so many failures in a row (1 or more): two seconds, doubled each time up
// to five minutes, and up to a tenth less by `share`.
[[nodiscard]] Duration failure_wait(std::uint32_t failures, double share);

}  // namespace weir::ocsp
