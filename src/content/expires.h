// nginx's `expires`: how long an answer may be kept, as Expires and Cache-Control. Pure functions;
// any thread (those of a time of day take the process's time zone).
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace weir::content {

struct Expires {
  enum class Kind : std::uint8_t {
    off,
    epoch,     // expired long ago
    max,       // 2037, ten years
    access,    // `time` from now
    modified,  // `time` from the last change; from now for an answer without one
    daily,     // at `time` of day, today or tomorrow
  };
  Kind kind = Kind::off;
  std::chrono::seconds time{0};  // may be negative but for daily
  friend bool operator==(const Expires&, const Expires&) = default;
};

// Parses the argument of `expires`, or what its variables came to: "epoch", "max", "off", "30d",
// "+1h", "-1", "@15h30m". `modified`: the word stands before it. `parse_seconds` is the
// configuration's reader of times in whole seconds. On nullopt `problem` says what is wrong; nginx
// takes that for off when it comes from variables.
[[nodiscard]] std::optional<Expires> parse_expires(
    std::string_view text, bool modified,
    std::optional<std::chrono::seconds> (*parse_seconds)(std::string_view),
    std::string_view& problem);

struct CacheFields {
  std::string expires;
  std::string cache_control;
};

// The values of the two fields; nullopt for off. They replace those that the answer has. nginx sets
// them on 200, 201, 204, 206, 301, 302, 303, 304, 307 and 308.
[[nodiscard]] std::optional<CacheFields> cache_fields(const Expires& expires, std::time_t now,
                                                      std::optional<std::time_t> last_modified);

}  // namespace weir::content
