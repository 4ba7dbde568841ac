#include "content/expires.h"

#include <doctest/doctest.h>

#include <cstdlib>

using namespace weir::content;
using namespace std::chrono_literals;
using Kind = Expires::Kind;

namespace {

// Stands for the configuration's reader: digits and an optional unit.
std::optional<std::chrono::seconds> seconds(std::string_view text) {
  std::int64_t value = 0;
  if (text.empty()) return std::nullopt;
  for (const char c : text) {
    if (c == 'h') return std::chrono::hours{value};
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return std::chrono::seconds{value};
}

constexpr std::time_t kNow = 784111777;  // 1994-11-06 08:49:37 GMT, and in the zone set here

struct Zone {
  explicit Zone(const char* name) {
    setenv("TZ", name, 1);
    tzset();
  }
  ~Zone() {
    unsetenv("TZ");
    tzset();
  }
};

}  // namespace

TEST_CASE("the argument of expires") {
  struct Row {
    const char* text;
    bool modified;
    std::optional<Expires> want;
  };
  const Row rows[] = {
      {"off", false, Expires{Kind::off, 0s}},
      {"epoch", false, Expires{Kind::epoch, 0s}},
      {"max", false, Expires{Kind::max, 0s}},
      {"0", false, Expires{Kind::access, 0s}},
      {"1h", false, Expires{Kind::access, 1h}},
      {"+1h", false, Expires{Kind::access, 1h}},
      {"-1", false, Expires{Kind::access, -1s}},
      {"@15h", false, Expires{Kind::daily, 15h}},
      {"@24h", false, Expires{Kind::daily, 24h}},
      {"@25h", false, std::nullopt},
      {"1h", true, Expires{Kind::modified, 1h}},
      {"-1h", true, Expires{Kind::modified, -1h}},
      {"@15h", true, std::nullopt},
      {"epoch", true, std::nullopt},
      {"max", true, std::nullopt},
      {"off", true, std::nullopt},
      {"", false, std::nullopt},
      {"+", false, std::nullopt},
      {"--1", false, std::nullopt},
      {"x", false, std::nullopt},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    std::string_view problem;
    const auto expires = parse_expires(row.text, row.modified, seconds, problem);
    CHECK((expires == row.want));
    CHECK(problem.empty() == expires.has_value());
  }
}

TEST_CASE("the fields that expires sets") {
  const Zone zone("UTC");
  const std::time_t changed = kNow - 3600;
  struct Row {
    Expires expires;
    std::optional<std::time_t> last_modified;
    const char* date;
    const char* cache_control;
  };
  const Row rows[] = {
      {{Kind::epoch, 0s}, changed, "Thu, 01 Jan 1970 00:00:01 GMT", "no-cache"},
      {{Kind::max, 0s}, changed, "Thu, 31 Dec 2037 23:55:55 GMT", "max-age=315360000"},
      {{Kind::access, 0s}, changed, "Sun, 06 Nov 1994 08:49:37 GMT", "max-age=0"},
      {{Kind::access, 1h}, changed, "Sun, 06 Nov 1994 09:49:37 GMT", "max-age=3600"},
      {{Kind::access, -1s}, changed, "Sun, 06 Nov 1994 08:49:36 GMT", "no-cache"},
      {{Kind::modified, 2h}, changed, "Sun, 06 Nov 1994 09:49:37 GMT", "max-age=3600"},
      {{Kind::modified, 1h}, changed, "Sun, 06 Nov 1994 08:49:37 GMT", "max-age=0"},
      {{Kind::modified, 1s}, changed, "Sun, 06 Nov 1994 07:49:38 GMT", "no-cache"},
      {{Kind::modified, 0s}, changed, "Sun, 06 Nov 1994 08:49:37 GMT", "max-age=0"},
      {{Kind::modified, -1s}, kNow + 60, "Sun, 06 Nov 1994 08:50:36 GMT", "no-cache"},
      {{Kind::modified, 1h}, std::nullopt, "Sun, 06 Nov 1994 09:49:37 GMT", "max-age=3600"},
      {{Kind::daily, 9h}, changed, "Sun, 06 Nov 1994 09:00:00 GMT", "max-age=623"},
      {{Kind::daily, 8h}, changed, "Mon, 07 Nov 1994 08:00:00 GMT", "max-age=83423"},
      {{Kind::daily, 0s}, changed, "Mon, 07 Nov 1994 00:00:00 GMT", "max-age=54623"},
      {{Kind::daily, 24h}, changed, "Mon, 07 Nov 1994 00:00:00 GMT", "max-age=54623"},
      {{Kind::daily, 31777s}, changed, "Mon, 07 Nov 1994 08:49:37 GMT", "max-age=86400"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.date);
    const auto fields = cache_fields(row.expires, kNow, row.last_modified);
    REQUIRE(fields.has_value());
    CHECK(fields->expires == row.date);
    CHECK(fields->cache_control == row.cache_control);
  }
  CHECK_FALSE(cache_fields({Kind::off, 0s}, kNow, changed).has_value());
}

TEST_CASE("a time of day is one of the process's zone") {
  const Zone zone("XST-2");  // two hours ahead
  const auto fields = cache_fields({Kind::daily, 11h}, kNow, std::nullopt);
  REQUIRE(fields.has_value());
  CHECK(fields->expires == "Sun, 06 Nov 1994 09:00:00 GMT");
}
