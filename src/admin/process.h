// What the system says of this process. Reads /proc; any thread.
#pragma once

#include <cstdint>
#include <optional>

namespace weir::admin {

// Absent: the system does not say, or no descriptor is left to ask it with.
struct ProcessUsage {
  std::optional<std::uint64_t> open_fds;
  std::optional<std::uint64_t> max_fds;
  std::optional<std::uint64_t> resident_bytes;
  std::optional<double> cpu_seconds;
};
[[nodiscard]] ProcessUsage process_usage();

}  // namespace weir::admin
