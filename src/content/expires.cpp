#include "content/expires.h"

#include "http/date.h"

namespace weir::content {
namespace {

// The next time, after `now`, that clocks here show `time_of_day`.
std::time_t next_daily(std::chrono::seconds time_of_day, std::time_t now) {
  std::tm parts{};
  localtime_r(&now, &parts);
  const auto seconds = static_cast<int>(time_of_day.count());
  parts.tm_hour = seconds / 3600;
  parts.tm_min = seconds / 60 % 60;
  parts.tm_sec = seconds % 60;
  const std::time_t today = mktime(&parts);
  if (today > now) return today;
  ++parts.tm_mday;
  return mktime(&parts);
}

std::string date_text(std::time_t time) {
  std::string text(http::kDateSize, '\0');
  http::format_date(time, text.data());
  return text;
}

}  // namespace

std::optional<Expires> parse_expires(
    std::string_view text, bool modified,
    std::optional<std::chrono::seconds> (*parse_seconds)(std::string_view),
    std::string_view& problem) {
  using Kind = Expires::Kind;
  if (!modified) {
    if (text == "epoch") return Expires{Kind::epoch, {}};
    if (text == "max") return Expires{Kind::max, {}};
    if (text == "off") return Expires{Kind::off, {}};
  }
  Expires result{modified ? Kind::modified : Kind::access, {}};
  const char sign = text.empty() ? '\0' : text.front();
  if (sign == '@' || sign == '+' || sign == '-') text.remove_prefix(1);
  if (sign == '@') {
    if (modified) {
      problem = "a time of day cannot be combined with \"modified\"";
      return std::nullopt;
    }
    result.kind = Kind::daily;
  }
  const auto time = parse_seconds(text);
  if (!time) {
    problem = "not a time in seconds";
    return std::nullopt;
  }
  if (sign == '@' && *time > std::chrono::hours{24}) {
    problem = "a day has 24 hours";
    return std::nullopt;
  }
  result.time = sign == '-' ? -*time : *time;
  return result;
}

std::optional<CacheFields> cache_fields(const Expires& expires, std::time_t now,
                                        std::optional<std::time_t> last_modified) {
  using Kind = Expires::Kind;
  std::time_t at = 0;
  switch (expires.kind) {
    case Kind::off:
      return std::nullopt;
    case Kind::epoch:
      return CacheFields{"Thu, 01 Jan 1970 00:00:01 GMT", "no-cache"};
    case Kind::max:
      return CacheFields{"Thu, 31 Dec 2037 23:55:55 GMT", "max-age=315360000"};
    case Kind::access:
      at = now + expires.time.count();
      break;
    case Kind::modified:
      // No time at all means now, as without the word.
      at = (expires.time.count() == 0 ? now : last_modified.value_or(now)) + expires.time.count();
      break;
    case Kind::daily:
      at = next_daily(expires.time, now);
      break;
  }
  if (expires.time.count() < 0 || at < now) return CacheFields{date_text(at), "no-cache"};
  return CacheFields{date_text(at), "max-age=" + std::to_string(at - now)};
}

}  // namespace weir::content
