#include "http/path.h"

#include <doctest/doctest.h>

#include "http/date.h"
#include "http/status.h"

using namespace weir::http;

TEST_CASE("paths are brought to their normal form") {
  struct Row {
    const char* raw;
    const char* want;  // null: refused
    bool merge = true;
  };
  const Row rows[] = {
      {"/", "/"},
      {"/a/b", "/a/b"},
      {"/a%20b", "/a b"},
      {"/%41%2f%62", "/A/b"},
      {"/a//b///c", "/a/b/c"},
      {"/a//b", "/a//b", false},
      {"//", "/"},
      {"/./a", "/a"},
      {"/a/.", "/a/"},
      {"/a/./b", "/a/b"},
      {"/a/../b", "/b"},
      {"/a/b/..", "/a/"},
      {"/a/b/../..", "/"},
      {"/a/b/../../c", "/c"},
      {"/.a", "/.a"},
      {"/..a/...", "/..a/..."},
      {"/a/%2e%2e/b", "/b"},
      {"/a%2f..%2fb", "/b"},
      {"/a//../b", "/b"},
      {"/a//../b", "/a/b", false},
      {"/..", nullptr},
      {"/../a", nullptr},
      {"/a/../../b", nullptr},
      {"/%2e%2e/", nullptr},
      {"/a%00", nullptr},
      {"/a%", nullptr},
      {"/a%4", nullptr},
      {"/a%zz", nullptr},
      {"/a+b", "/a+b"},
      {"/%ff", "/\xff"},
  };
  std::string out;
  for (const auto& row : rows) {
    CAPTURE(row.raw);
    CAPTURE(row.merge);
    const bool ok = normalize_path(row.raw, row.merge, out);
    CHECK(ok == (row.want != nullptr));
    if (ok && row.want) CHECK(out == row.want);
  }
}

TEST_CASE("a normal path stays as it is when it is made normal again, once escaped") {
  for (const char* path : {"/", "/a b", "/100%", "/what?", "/\xc3\xa4#"}) {
    CAPTURE(path);
    std::string escaped, back;
    escape_uri(path, escaped);
    CHECK(escaped.find_first_of(" ?#") == std::string::npos);
    REQUIRE(normalize_path(escaped, true, back));
    CHECK(back == path);
  }
}

TEST_CASE("dates and reason phrases") {
  char date[kDateSize];
  format_date(784111777, date);
  CHECK(std::string(date, kDateSize) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(reason_phrase(502) == "Bad Gateway");
  CHECK(reason_phrase(299).empty());
}
