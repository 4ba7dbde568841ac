#include "content/preconditions.h"

#include <doctest/doctest.h>

using namespace weir::content;

namespace {
constexpr std::time_t kTime = 784111777;
constexpr const char* kDate = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr const char* kEarlier = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr const char* kLater = "Sun, 06 Nov 1994 08:49:38 GMT";
constexpr auto off = IfModifiedSince::off;
constexpr auto exact = IfModifiedSince::exact;
constexpr auto before = IfModifiedSince::before;
constexpr auto pass = Precondition::pass;
constexpr auto not_modified = Precondition::not_modified;
constexpr auto failed = Precondition::failed;
}  // namespace

TEST_CASE("conditions on the time of the last change") {
  struct Row {
    const char* since;
    IfModifiedSince mode;
    Precondition want;
    Precondition unmodified;  // with the same date in If-Unmodified-Since
  };
  const Row rows[] = {
      {kDate, exact, not_modified, pass},
      {kDate, before, not_modified, pass},
      {kDate, off, pass, pass},
      {kEarlier, exact, pass, failed},
      {kEarlier, before, pass, failed},
      {kLater, exact, pass, pass},
      {kLater, before, not_modified, pass},
      {"whenever", exact, pass, failed},
      {"whenever", before, pass, failed},
  };
  for (const auto& row : rows) {
    CAPTURE(row.since);
    const Validators answer{.last_modified = kTime, .etag = std::nullopt};
    CHECK(check_preconditions(200, answer, {.if_modified_since = row.since}, row.mode) == row.want);
    CHECK(check_preconditions(200, answer, {.if_unmodified_since = row.since}, row.mode) ==
          row.unmodified);
    CHECK(check_preconditions(206, answer, {.if_modified_since = row.since}, row.mode) == pass);
    CHECK(check_preconditions(200, {}, {.if_modified_since = row.since}, row.mode) == pass);
    CHECK(check_preconditions(200, {}, {.if_unmodified_since = row.since}, row.mode) == failed);
  }
}

TEST_CASE("conditions on the tag, and on both") {
  const Validators answer{.last_modified = kTime, .etag = "\"a\""};
  struct Row {
    Conditions request;
    Precondition want;
  };
  const Row rows[] = {
      {{}, pass},
      {{.if_match = "\"a\""}, pass},
      {{.if_match = "*"}, pass},
      {{.if_match = "W/\"a\""}, failed},
      {{.if_match = "\"b\""}, failed},
      {{.if_none_match = "\"a\""}, not_modified},
      {{.if_none_match = "W/\"a\""}, not_modified},
      {{.if_none_match = "\"b\""}, pass},
      {{.if_none_match = "*"}, not_modified},
      {{.if_none_match = "\"a\"", .if_modified_since = kDate}, not_modified},
      {{.if_none_match = "\"b\"", .if_modified_since = kDate}, pass},
      {{.if_none_match = "\"a\"", .if_modified_since = kEarlier}, pass},
      {{.if_match = "\"a\"", .if_none_match = "\"a\""}, not_modified},
      {{.if_match = "\"a\"", .if_unmodified_since = kEarlier}, failed},
      {{.if_match = "\"b\"", .if_unmodified_since = kDate}, failed},
  };
  for (const auto& row : rows) {
    CHECK(check_preconditions(200, answer, row.request, exact) == row.want);
    CHECK(check_preconditions(404, answer, row.request, exact) == pass);
  }
  CHECK(check_preconditions(200, {}, {.if_none_match = "\"a\""}, exact) == pass);
  CHECK(check_preconditions(200, {}, {.if_match = "\"a\""}, exact) == failed);
}

TEST_CASE("If-Range holds for the answer's own tag or date alone") {
  const Validators answer{.last_modified = kTime, .etag = "\"a\""};
  CHECK(if_range_holds(std::nullopt, answer));
  CHECK(if_range_holds(std::nullopt, {}));
  CHECK(if_range_holds("\"a\"", answer));
  CHECK_FALSE(if_range_holds("\"b\"", answer));
  CHECK_FALSE(if_range_holds("W/\"a\"", answer));
  CHECK(if_range_holds("W/\"a\"", {.last_modified = kTime, .etag = "W/\"a\""}));
  CHECK(if_range_holds(kDate, answer));
  CHECK_FALSE(if_range_holds(kLater, answer));
  CHECK_FALSE(if_range_holds("whenever", answer));
  CHECK_FALSE(if_range_holds("\"", answer));
  CHECK_FALSE(if_range_holds("", answer));
  CHECK_FALSE(if_range_holds("\"a\"", {}));
  CHECK_FALSE(if_range_holds(kDate, {}));
}
