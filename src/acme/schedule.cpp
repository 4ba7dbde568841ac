#include "acme/schedule.h"

#include <algorithm>
#include <charconv>

#include "http/date.h"

namespace weir::acme {
namespace {
constexpr Duration kDay = std::chrono::hours{24};
}  // namespace

WallTime renewal_time(std::int64_t not_before, std::int64_t not_after, double share) {
  const auto life = static_cast<double>(std::max<std::int64_t>(not_after - not_before, 0));
  const auto after = life * 2 / 3 + life / 50 * share;
  return WallTime{std::chrono::seconds{not_before}} +
         Duration{static_cast<std::int64_t>(after * 1000)};
}

Duration retry_wait(Duration first, std::uint32_t failures, Duration asked, double share) {
  auto wait = first;
  for (std::uint32_t i = 1; i < failures && wait < kDay; ++i) wait *= 2;
  wait = std::min(wait, kDay);
  wait += Duration{static_cast<std::int64_t>(static_cast<double>(wait.count()) / 10 * share)};
  return std::max(wait, asked);
}

Duration retry_after(std::string_view field, WallTime now) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), seconds);
  if (error == std::errc{} && end == field.data() + field.size()) {
    return std::clamp<Duration>(std::chrono::seconds{std::min<std::int64_t>(seconds, 1 << 20)},
                                Duration{0}, kDay);
  }
  const auto date = http::parse_date(field);
  if (!date) return Duration{0};
  return std::clamp<Duration>(WallTime{std::chrono::seconds{*date}} - now, Duration{0}, kDay);
}

}  // namespace weir::acme
