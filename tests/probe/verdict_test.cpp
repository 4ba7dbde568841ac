#include "probe/verdict.h"

#include <doctest/doctest.h>

#include "config/regex.h"

namespace weir::probe {

TEST_CASE("which status passes") {
  struct Row {
    const char* name;
    std::vector<config::StatusRange> ranges;
    bool negated;
    std::uint16_t status;
    bool passes;
    const char* detail;
  };
  const Row rows[] = {
      {"any", {}, false, 599, true, "got 599"},
      {"low end", {{200, 399}}, false, 200, true, "got 200"},
      {"high end", {{200, 399}}, false, 399, true, "got 399"},
      {"below", {{200, 399}}, false, 199, false, "got 199, want 200-399"},
      {"above", {{200, 399}}, false, 404, false, "got 404, want 200-399"},
      {"one status", {{200, 200}}, false, 204, false, "got 204, want 200"},
      {"several", {{200, 200}, {301, 302}}, false, 302, true, "got 302"},
      {"several, none", {{200, 200}, {301, 302}}, false, 303, false, "got 303, want 200, 301-302"},
      {"negated", {{500, 599}}, true, 404, true, "got 404"},
      {"negated, in it", {{500, 599}}, true, 503, false, "got 503, want not 500-599"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    config::MatchConfig match;
    match.status = row.ranges;
    match.status_negated = row.negated;
    const auto result = judge_status(match, row.status);
    CHECK(result.passed() == row.passes);
    CHECK(result.detail == row.detail);
    CHECK(result.status == row.status);
    if (!row.passes) CHECK(result.layer == upstream::CheckLayer::status);
  }
}

namespace {

using Test = config::MatchConfig::Test;

Test header(const char* name, Test::Kind kind, bool negated = false, const char* text = "") {
  Test test{.kind = kind, .negated = negated, .name = name, .text = text};
  std::string error;
  if (kind == Test::Kind::regex) test.regex = config::Regex::compile(text, false, error);
  return test;
}

Test body(Test::Kind kind, const char* text, bool negated = false, bool caseless = false) {
  Test test{.kind = kind, .negated = negated, .text = text};
  std::string error;
  if (kind == Test::Kind::regex) test.regex = config::Regex::compile(text, caseless, error);
  return test;
}

}  // namespace

TEST_CASE("which fields pass") {
  using Kind = Test::Kind;
  const std::string head =
      "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-A: one\r\nx-a: two\r\nEmpty:\r\n\r\n";
  struct Row {
    Test test;
    const char* fault;  // empty: passes
  };
  const Row rows[] = {
      {header("x-a", Kind::present), ""},
      {header("Empty", Kind::present), ""},
      {header("X-B", Kind::present), "field \"X-B\" is missing"},
      {header("X-B", Kind::present, true), ""},
      {header("X-A", Kind::present, true), "field \"X-A\" is \"one\", want none"},
      {header("content-type", Kind::equals, false, "text/html"), ""},
      {header("X-A", Kind::equals, false, "two"), ""},  // any of the lines
      {header("X-A", Kind::equals, false, "Two"), "field \"X-A\" is \"one\", want \"Two\""},
      {header("X-A", Kind::equals, true, "two"), "field \"X-A\" is \"one\", want not \"two\""},
      {header("X-A", Kind::equals, true, "three"), ""},
      {header("X-B", Kind::equals, true, "three"), ""},  // not there, so not that
      {header("Content-Type", Kind::regex, false, "^text/"), ""},
      {header("Content-Type", Kind::regex, false, "json"),
       "field \"Content-Type\" is \"text/html\", want ~ \"json\""},
      {header("Content-Type", Kind::regex, true, "html"),
       "field \"Content-Type\" is \"text/html\", want not ~ \"html\""},
      {header("X-B", Kind::regex, false, "."), "field \"X-B\" is missing"},
  };
  http::ResponseHead parsed;
  http::ParseState state;
  REQUIRE(http::parse_response(head, {}, state, http::Method::get, parsed).status ==
          http::ParseStatus::complete);
  for (const auto& row : rows) {
    CAPTURE(row.test.name);
    CAPTURE(row.test.text);
    config::MatchConfig match;
    match.headers = {row.test};
    const auto result = judge_head(match, parsed);
    const bool passes = *row.fault == '\0';
    CHECK(result.layer == (passes ? upstream::CheckLayer::ok : upstream::CheckLayer::header));
    CHECK(result.detail == (passes ? "got 200" : row.fault));
  }
  config::MatchConfig match;
  match.status = {{.from = 204, .to = 204}};
  match.headers = {header("X-B", Kind::present)};
  CHECK(judge_head(match, parsed).layer == upstream::CheckLayer::status);  // first things first
}

TEST_CASE("which variables of an answer are neither empty nor 0") {
  const std::string head =
      "HTTP/1.1 503 Busy\r\nX-Ready: 1\r\nZero: 0\r\nTwo: 0\r\nTwo:\r\nLong: 00\r\nEmpty:\r\n\r\n";
  http::ResponseHead parsed;
  http::ParseState state;
  REQUIRE(http::parse_response(head, {}, state, http::Method::get, parsed).status ==
          http::ParseStatus::complete);
  struct Row {
    const char* name;
    const char* fault;  // empty: passes
  };
  const Row rows[] = {
      {"status", ""},
      {"upstream_status", ""},
      {"upstream_http_x_ready", ""},
      {"upstream_http_X_READY", ""},
      {"upstream_http_long", ""},
      {"upstream_http_two", ""},  // "0, "
      {"upstream_http_zero", "requires $upstream_http_zero, is 0"},
      {"upstream_http_empty", "requires $upstream_http_empty, is empty"},
      {"upstream_http_x_other", "requires $upstream_http_x_other, the field is missing"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    config::MatchConfig match;
    match.require = {*config::find_variable("upstream_http_x_ready"),
                     *config::find_variable(row.name)};
    const auto result = judge_head(match, parsed);
    const bool passes = *row.fault == '\0';
    CHECK(result.layer == (passes ? upstream::CheckLayer::ok : upstream::CheckLayer::header));
    CHECK(result.detail == (passes ? "got 503" : row.fault));
    CHECK(result.status == 503);
  }
  config::MatchConfig match;
  match.headers = {header("X-B", Test::Kind::present)};
  match.require = {*config::find_variable("upstream_http_zero")};
  CHECK(judge_head(match, parsed).detail == "field \"X-B\" is missing");  // first things first
}

TEST_CASE("which bodies pass") {
  using Kind = Test::Kind;
  struct Row {
    Test test;
    std::string body;
    std::string fault;  // empty: passes
  };
  const Row rows[] = {
      {body(Kind::contains, "ok"), "not ok", ""},
      {body(Kind::contains, "ok"), "OK", "body must hold \"ok\", begins with \"OK\""},
      {body(Kind::contains, "ok", true), "ok\n",
       "body must not hold \"ok\", begins with \"ok\\n\""},
      {body(Kind::contains, "ok"), "", "body must hold \"ok\", is empty"},
      {body(Kind::equals, "ok"), "ok", ""},
      {body(Kind::equals, ""), "", ""},
      {body(Kind::equals, "ok"), "not ok", "body must be \"ok\", begins with \"not ok\""},
      {body(Kind::equals, "ok", true), "ok", "body must not be \"ok\", begins with \"ok\""},
      {body(Kind::regex, "^Wel+come"), "Welcome", ""},
      {body(Kind::regex, "^welcome"), "Welcome",
       "body must match ~ \"^welcome\", begins with \"Welcome\""},
      {body(Kind::regex, "^welcome", false, true), "Welcome", ""},
      {body(Kind::regex, "maintenance", true), "in maintenance mode",
       "body must not match ~ \"maintenance\", begins with \"in maintenance mode\""},
      {body(Kind::regex, "a$"), std::string(100, 'x') + '\x01',
       "body must match ~ \"a$\", begins with \"" + std::string(60, 'x') + "...\""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.test.text);
    CAPTURE(row.body);
    config::MatchConfig match;
    match.body = {body(Kind::regex, "", false), row.test};
    const auto result = judge_body(match, 200, row.body);
    CHECK(result.layer ==
          (row.fault.empty() ? upstream::CheckLayer::ok : upstream::CheckLayer::body));
    CHECK(result.detail == (row.fault.empty() ? "got 200" : row.fault));
    CHECK(result.status == 200);
  }
}

TEST_CASE("what peers send stands in reasons as one short line") {
  CHECK(excerpt("") == "\"\"");
  CHECK(excerpt("a\r\nb\x01\xff\x7f") == "\"a\\r\\nb\\x01\\xff\\x7f\"");
  CHECK(excerpt(std::string(61, 'a')) == "\"" + std::string(60, 'a') + "...\"");
}

TEST_CASE("the request of a check") {
  upstream::PeerSpec peer;
  peer.name = "app:8080";
  config::HealthCheckConfig check;
  check.uri = "/api/__health_check";
  CHECK(check_request(check, peer) ==
        "GET /api/__health_check HTTP/1.1\r\nHost: app:8080\r\n"
        "User-Agent: weir (health check)\r\nConnection: close\r\n\r\n");
  check.keepalive_time = Duration{1};
  CHECK(check_request(check, peer).ends_with("(health check)\r\n\r\n"));
  check.host = "example.org";
  CHECK(check_request(check, peer).find("\r\nHost: example.org\r\n") != std::string::npos);
  check.host.clear();
  peer.endpoint.unix_path = "/run/app.sock";
  CHECK(check_request(check, peer).find("\r\nHost: localhost\r\n") != std::string::npos);
}

TEST_CASE("errors as text, and whose they are") {
  const auto refused = std::make_error_code(std::errc::connection_refused);
  CHECK(error_text(refused) == "connection refused");
  CHECK_FALSE(is_local_fault(refused));
  CHECK(is_local_fault(std::make_error_code(std::errc::too_many_files_open)));
}

}  // namespace weir::probe
