#include "http/etag.h"

#include <doctest/doctest.h>

using namespace weir::http;

TEST_CASE("a tag is made of the time and the size") {
  std::string etag;
  append_etag(1690000000, 4096, etag);
  CHECK(etag == "\"64bb5a80-1000\"");
  etag.clear();
  append_etag(0, 0, etag);
  CHECK(etag == "\"0-0\"");
}

TEST_CASE("tags are weakened once, and what is no tag is refused") {
  struct Row {
    const char* tag;
    const char* want;  // null: refused
  };
  for (const auto& row : {Row{"\"a\"", "W/\"a\""}, Row{"W/\"a\"", "W/\"a\""}, Row{"a", nullptr},
                          Row{"", nullptr}, Row{"W/", nullptr}}) {
    CAPTURE(row.tag);
    std::string tag = row.tag;
    CHECK(weaken_etag(tag) == (row.want != nullptr));
    if (row.want) CHECK(tag == row.want);
  }
}

TEST_CASE("lists of tags") {
  struct Row {
    const char* list;
    const char* etag;  // null: none
    bool strong;
    bool weak;
  };
  const Row rows[] = {
      {"*", nullptr, true, true},
      {"*", "\"a\"", true, true},
      {"**", "\"a\"", false, false},
      {"\"a\"", nullptr, false, false},
      {"\"a\"", "\"a\"", true, true},
      {"\"b\"", "\"a\"", false, false},
      {"W/\"a\"", "\"a\"", false, true},
      {"\"a\"", "W/\"a\"", false, true},
      {"W/\"a\"", "W/\"a\"", true, true},
      {"\"x\", \"a\"", "\"a\"", true, true},
      {"\"x\",,\t \"a\" , \"y\"", "\"a\"", true, true},
      {"\"x\", W/\"a\"", "\"a\"", false, true},
      {"\"a\" x, \"y\"", "\"a\"", false, false},
      {"\"a\"x", "\"a\"", false, false},
      {"\"aa\"", "\"a\"", false, false},
      {" \"a\"", "\"a\"", false, false},
      {"\"x\" \"a\"", "\"a\"", false, false},
      {"a", "\"a\"", false, false},
      {"", "\"a\"", false, false},
      {",", "\"a\"", false, false},
      {"W/", "\"a\"", false, false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.list);
    const auto etag = row.etag ? std::optional<std::string_view>(row.etag) : std::nullopt;
    CHECK(etag_matches(row.list, etag, false) == row.strong);
    CHECK(etag_matches(row.list, etag, true) == row.weak);
  }
}
