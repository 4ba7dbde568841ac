#include "http/date.h"

#include <doctest/doctest.h>

#include <string>

using namespace weir::http;

TEST_CASE("dates are written in the preferred form") {
  struct Row {
    std::time_t time;
    const char* want;
  };
  const Row rows[] = {
      {0, "Thu, 01 Jan 1970 00:00:00 GMT"},          {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"},
      {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},  {4102444799, "Thu, 31 Dec 2099 23:59:59 GMT"},
      {4107542400, "Mon, 01 Mar 2100 00:00:00 GMT"},
  };
  for (const auto& row : rows) {
    char date[kDateSize];
    format_date(row.time, date);
    CHECK(std::string(date, kDateSize) == row.want);
  }
}

TEST_CASE("dates are read in three forms, leniently") {
  constexpr std::time_t none = -7;
  struct Row {
    const char* text;
    std::time_t want;
  };
  const Row rows[] = {
      {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
      {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
      {"Sun Nov  6 08:49:37 1994", 784111777},
      {"Sun Nov 16 08:49:37 1994", 784975777},
      {"Sun Nov 06 08:49:37 1994", 784111777},
      {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
      {"Wed, 31 Dec 1969 23:59:58 GMT", -2},
      {"Thu, 01-Jan-70 00:00:00 GMT", 0},
      {"Tue, 31-Dec-69 23:59:59 GMT", 3155759999},
      {"Tue, 29 Feb 2000 00:00:00 GMT", 951782400},
      {"Mon, 29 Feb 2100 00:00:00 GMT", none},
      {"Thu, 29 Feb 2001 00:00:00 GMT", none},
      {"Tue, 31 Apr 2001 00:00:00 GMT", none},
      {"Tue, 00 Apr 2001 00:00:00 GMT", 985996800},  // the last of March
      {"Sun, 06 Nov 1994 24:49:37 GMT", none},
      {"Sun, 06 Nov 1994 08:60:37 GMT", none},
      {"Sun, 06 Nov 1994 08:49:60 GMT", none},
      {"Sun, 6 Nov 1994 08:49:37 GMT", none},
      {"x,06 Nov 1994 08:49:37", 784111777},
      {"x,    06 Nov 1994 08:49:37", 784111777},
      {"Sun, 06 Nov 1994 08:49:37 whatever", 784111777},
      {"Sun, 06 Nov 1994 08:49:3", none},
      {"Sun, 06 Nov-1994 08:49:37 GMT", none},
      {"Sun, 06-Nov 94 08:49:37 GMT", none},
      {"Sun, 06 N?? 1994 08:49:37 GMT", 784111777},
      {"Sun, 06 Xov 1994 08:49:37 GMT", none},
      {"Sun, 06 nov 1994 08:49:37 GMT", none},
      {"Sun, 01 Jul 2001 00:00:00 GMT", 993945600},
      {"Sun, 01 Jun 2001 00:00:00 GMT", 991353600},
      {"Sun, 01 Mar 2001 00:00:00 GMT", 983404800},
      {"Sun, 01 May 2001 00:00:00 GMT", 988675200},
      {"Sun, 01 Aug 2001 00:00:00 GMT", 996624000},
      {"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799},
      {"", none},
      {",", none},
      {"0", none},
      {"784111777", none},
      {"Sun Nov  6 08:49:37 199", none},
      {"Sun Nov", none},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CHECK(parse_date(row.text).value_or(none) == row.want);
    // No byte behind the text matters.
    const std::string text = std::string(row.text) + "1234567890:00 GMT 1994";
    const auto size = std::string_view(row.text).size();
    CHECK(parse_date(std::string_view(text).substr(0, size)) == parse_date(row.text));
  }
}

TEST_CASE("what is written is read back") {
  for (std::time_t time = 0; time < 4200000000; time += 7654321) {
    char date[kDateSize];
    format_date(time, date);
    REQUIRE(parse_date({date, kDateSize}) == time);
  }
}
