// SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash for tables whose keys come from clients.
// Who does not know the seed cannot choose keys that meet in one bucket. Pure function; any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir {

struct HashSeed {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
};

[[nodiscard]] std::uint64_t siphash(std::string_view text, HashSeed seed);

}  // namespace weir
