// What an attempt means for the peer that it was at.
#pragma once

#include <cstdint>

namespace weir::upstream {

// How an attempt ended, for the peer's failure accounting.
enum class Outcome : std::uint8_t {
  success,
  failure,  // counts in max_fails
  neutral,  // neither: an abort by the client, a stale kept-alive connection
};

}  // namespace weir::upstream
