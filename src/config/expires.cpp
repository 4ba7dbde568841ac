#include "config/expires.h"

#include "config/suggest.h"
#include "config/units.h"

namespace weir::config {

std::optional<ExpiresConfig> parse_expires(std::string_view text, bool modified,
                                           std::string& error) {
  using Kind = ExpiresConfig::Kind;
  ExpiresConfig expires;
  expires.kind = modified          ? Kind::modified
                 : text == "epoch" ? Kind::epoch
                 : text == "max"   ? Kind::max
                 : text == "off"   ? Kind::off
                                   : Kind::access;
  if (expires.kind != Kind::modified && expires.kind != Kind::access) return expires;
  auto digits = text;
  const bool negative = text.starts_with('-');
  if (text.starts_with('@')) {
    if (modified) {
      error = "a time of day does not go with \"modified\"";
      return std::nullopt;
    }
    expires.kind = Kind::daily;
  }
  if (negative || text.starts_with('+') || text.starts_with('@')) digits.remove_prefix(1);
  const auto time = parse_seconds(digits);
  if (!time) {
    error = "invalid time " + quote(text) + "; write 30d, -1, @15h30m, epoch, max or off";
    return std::nullopt;
  }
  if (expires.kind == Kind::daily && *time > std::chrono::hours{24}) {
    error = "a time of day is not after 24h";
    return std::nullopt;
  }
  expires.time = negative ? -*time : *time;
  return expires;
}

}  // namespace weir::config
