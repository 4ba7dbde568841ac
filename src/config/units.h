// Numbers, sizes and times as nginx writes them. Pure functions, any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.h"

namespace weir::config {

// Decimal digits only, no sign.
[[nodiscard]] std::optional<std::uint64_t> parse_number(std::string_view text);

// Bytes: "4096", "16k", "1M", "2g".
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);

// "30", "500ms", "1h30m", "1d 12h". A number without a unit is seconds and comes last; units
// come from the largest to the smallest (y, M, w, d, h, m, s, ms).
[[nodiscard]] std::optional<Duration> parse_time(std::string_view text);
// The same where nginx counts seconds: without ms.
[[nodiscard]] std::optional<std::chrono::seconds> parse_seconds(std::string_view text);

// The same in whole seconds, as nginx's directives that know no milliseconds: "1h30m", "10".
[[nodiscard]] std::optional<std::chrono::seconds> parse_seconds(std::string_view text);

}  // namespace weir::config
