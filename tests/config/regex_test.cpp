#include "config/regex.h"

#include <doctest/doctest.h>

#include <string>
#include <thread>

using weir::config::Regex;

TEST_CASE("a pattern captures groups") {
  std::string error;
  const auto regex = Regex::compile("^/(?<app>[a-z]+)/(\\d+)?(x)?$", false, error);
  REQUIRE(regex);
  CHECK(regex->groups() == 3);
  REQUIRE(regex->names().size() == 1);
  CHECK(regex->names()[0].first == "app");
  CHECK(regex->names()[0].second == 1);
  Regex::Captures captures;
  REQUIRE(regex->match("/main/", &captures));
  REQUIRE(captures.size() == 4);
  CHECK(captures[1].first == 1);
  CHECK(captures[1].second == 5);
  CHECK(captures[2].first == std::string::npos);
  CHECK(captures[3].first == std::string::npos);
  CHECK(!regex->match("/MAIN/", &captures));
  CHECK(regex->match("/main/12", nullptr));
}

TEST_CASE("case is ignored when asked") {
  std::string error;
  const auto regex = Regex::compile("\\.PHP$", true, error);
  REQUIRE(regex);
  CHECK(regex->match("/x.php", nullptr));
  CHECK(!regex->match("", nullptr));
}

TEST_CASE("bad patterns are refused with their place") {
  for (const char* pattern : {"(", "[a", "a{2,1}", "(?<n>a)(?<n>b)", "*"}) {
    CAPTURE(pattern);
    std::string error;
    CHECK(!Regex::compile(pattern, false, error));
    CHECK(error.find(" at offset ") != std::string::npos);
  }
  std::string error;
  CHECK(!Regex::compile(std::string(20000, 'a'), false, error));
}

TEST_CASE("more groups than usual") {
  std::string error;
  std::string pattern;
  for (int i = 0; i < 60; ++i) pattern += "(a)?";
  const auto regex = Regex::compile(pattern, false, error);
  REQUIRE(regex);
  Regex::Captures captures;
  CHECK(regex->match("aaa", &captures));
  CHECK(captures.size() == 61);
}

TEST_CASE("a hostile subject ends soon, without a match") {
  std::string error;
  const auto regex = Regex::compile("^(a+)+$", false, error);
  REQUIRE(regex);
  CHECK(!regex->match(std::string(60, 'a') + "b", nullptr));
  CHECK(regex->match(std::string(60, 'a'), nullptr));
}

TEST_CASE("threads share a pattern") {
  std::string error;
  const auto regex = Regex::compile("^(x+)y$", false, error);
  REQUIRE(regex);
  const auto run = [&](std::size_t length, bool& ok) {
    Regex::Captures captures;
    const std::string subject = std::string(length, 'x') + "y";
    for (int i = 0; i < 2000; ++i) {
      ok = ok && regex->match(subject, &captures) && captures[1].second == length;
    }
  };
  bool first = true;
  bool second = true;
  std::thread other([&] { run(3, first); });
  run(9, second);
  other.join();
  CHECK(first);
  CHECK(second);
}
