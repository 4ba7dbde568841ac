#include "proxy/plan.h"

#include <doctest/doctest.h>

#include "proxy/dynamic_pools.h"
#include "proxy/text.h"
#include "proxy/variables.h"

using namespace weir::proxy;

TEST_CASE("a set of names knows its own in any case, and no others") {
  NameSet set;
  CHECK(set.empty());
  for (const char* name : {"X-Forwarded-For", "Host", "a"}) set.add(name);
  for (const char* name : {"x-forwarded-for", "HOST", "A"}) CHECK(set.has(name));
  for (const char* name : {"X-Forwarded-Foo", "Hos", "Hostt", "b", "X-Forwarded-Fo"}) {
    CAPTURE(name);
    CHECK_FALSE(set.has(name));
  }
}

TEST_CASE("targets of proxy_pass with variables come apart") {
  struct Row {
    const char* text;
    bool valid;
    const char* authority;
    const char* uri;
  };
  const Row rows[] = {{"http://app", true, "app", ""},
                      {"http://10.0.0.1:80/x?y", true, "10.0.0.1:80", "/x?y"},
                      {"http://app?y", true, "app", "?y"},
                      {"HTTP://app/", true, "app", "/"},
                      {"https://app/", true, "app", "/"},
                      {"http://unix:/run/a.sock:/x", true, "unix:/run/a.sock", "/x"},
                      {"http://unix:/run/a.sock", true, "unix:/run/a.sock", ""},
                      {"http://unix:", false, "", ""},
                      {"http:///x", false, "", ""},
                      {"app", false, "", ""},
                      {"", false, "", ""}};
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const auto target = parse_target(row.text);
    CHECK(target.valid == row.valid);
    if (!row.valid) continue;
    CHECK(target.authority == row.authority);
    CHECK(target.uri == row.uri);
  }
}

TEST_CASE("no value breaks a head's lines") {
  CHECK(is_field_text("plain, with\ttab"));
  CHECK_FALSE(is_field_text("a\r\nSet-Cookie: x"));
  CHECK_FALSE(is_field_text("a\nb"));
  CHECK_FALSE(is_field_text(std::string_view("a\0b", 3)));
}

TEST_CASE("authorities come apart") {
  struct Row {
    const char* text;
    const char* want;  // host, port and path; null: not an authority
  };
  const Row rows[] = {
      {"app", "app 80 "},   {"app:8080", "app 8080 "}, {"10.0.0.1:1", "10.0.0.1 1 "},
      {"[::1]", "::1 80 "}, {"[::1]:81", "::1 81 "},   {"unix:/run/a.sock", " 80 /run/a.sock"},
      {"unix:", nullptr},   {"[::1", nullptr},         {"[]", nullptr},
      {"app:", nullptr},    {"app:0", nullptr},        {"app:65536", nullptr},
      {"app:80x", nullptr}, {":80", nullptr},          {"", nullptr}};
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const auto got = parse_authority(row.text);
    REQUIRE(got.has_value() == (row.want != nullptr));
    if (!got) continue;
    const std::string text = std::string(got->host) + " " + std::to_string(got->port) + " " +
                             std::string(got->unix_path);
    CHECK(text == row.want);
  }
}
