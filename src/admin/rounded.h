// Numbers for JSON with as many digits as anybody reads. Pure; any thread.
#pragma once

#include <boost/json/value.hpp>
#include <cmath>
#include <optional>

namespace weir::admin {

// Three digits; null where there is no number.
[[nodiscard]] inline boost::json::value rounded(double number) {
  if (!std::isfinite(number)) return nullptr;
  if (number >= 100 || number == 0) return static_cast<std::int64_t>(std::llround(number));
  const double unit = number >= 10 ? 10 : number >= 1 ? 100 : 1000;
  const double out = std::round(number * unit) / unit;
  if (out == std::floor(out)) return static_cast<std::int64_t>(out);
  return out;
}
[[nodiscard]] inline boost::json::value rounded(const std::optional<double>& number) {
  if (!number) return nullptr;
  return rounded(*number);
}

}  // namespace weir::admin
