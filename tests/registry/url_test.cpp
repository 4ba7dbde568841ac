#include "registry/url.h"

#include <doctest/doctest.h>

namespace {

using weir::registry::Url;

TEST_CASE("URLs are read as they are written, and shown without their passwords") {
  struct Row {
    const char* text;
    const char* masked;
  };
  const Row rows[] = {
      {"redis://127.0.0.1", "redis://127.0.0.1:6379/0"},
      {"redis://127.0.0.1:7000/4", "redis://127.0.0.1:7000/4"},
      {"redis://localhost/", "redis://localhost:6379/0"},
      {"rediss://cache.example:6380/1", "rediss://cache.example:6380/1"},
      {"redis://:secret@h/2", "redis://:***@h:6379/2"},
      {"redis://weir:p%40ss%2Fw@h", "redis://weir:***@h:6379/0"},
      {"redis://[::1]:7000/3", "redis://[::1]:7000/3"},
      {"redis://[::1]", "redis://[::1]:6379/0"},
      {"unix:///run/redis.sock", "unix:///run/redis.sock"},
      {"unix://:pw@/run/redis.sock?db=4", "unix://:***@/run/redis.sock?db=4"},
      {"redis+unix:///run/redis.sock?db=0", "unix:///run/redis.sock"},
      {"redis+sentinel://a,b:7,[::2]:8/main", "redis+sentinel://a:26379,b:7,[::2]:8/main/0"},
      {"rediss+sentinel://u:p@a/main/9", "rediss+sentinel://u:***@a:26379/main/9"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    std::string error;
    const auto url = Url::parse(row.text, error);
    REQUIRE_MESSAGE(url.has_value(), error);
    CHECK(url->masked() == row.masked);
  }
  std::string error;
  const auto url = Url::parse("redis://weir:p%40ss%2Fw@h", error);
  REQUIRE(url);
  CHECK(url->user == "weir");
  CHECK(url->password == "p@ss/w");
}

TEST_CASE("what is no URL of Redis is refused, with a reason that does not tell the password") {
  const char* const rows[] = {"",
                              "http://127.0.0.1",
                              "127.0.0.1:6379",
                              "redis://",
                              "redis://:6379",
                              "redis://h:0",
                              "redis://h:65536",
                              "redis://h:x",
                              "redis://h/x",
                              "redis://h/65536",
                              "redis://h/-1",
                              "redis://h/1/2",
                              "redis://h?db=1",
                              "redis://a,b",
                              "redis://a b",
                              "redis://[::1",
                              "redis://[::1]x",
                              "redis://hunter2@h",
                              "redis://u:@h",
                              "redis://u:hunter2%4@h",
                              "redis://u:hunter2%zz@h",
                              "redis://u:hunter2/x@h",
                              "unix://run/redis.sock",
                              "unix:///run/r?x=1",
                              "unix:///run/r?db=x",
                              "redis+sentinel://a",
                              "redis+sentinel://a/",
                              "redis+sentinel://a,/m"};
  for (const auto* text : rows) {
    CAPTURE(text);
    std::string error;
    CHECK_FALSE(Url::parse(text, error));
    CHECK_FALSE(error.empty());
    CHECK(error.find("hunter2") == std::string::npos);
  }
}

}  // namespace
