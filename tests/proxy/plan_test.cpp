#include "proxy/plan.h"

#include <doctest/doctest.h>

#include "proxy/heads.h"
#include "proxy/response_relay.h"
#include "proxy/variables.h"

using namespace weir::proxy;
namespace http = weir::http;

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
                      {"https://app/", false, "", ""},
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

TEST_CASE("an answer is delivered as its framing and the client's version allow") {
  using Kind = http::Framing::Kind;
  struct Row {
    Kind framing;
    std::uint8_t version;
    Delivery want;
  };
  const Row rows[] = {{Kind::none, 11, Delivery::none},
                      {Kind::counted, 11, Delivery::as_is},
                      {Kind::counted, 10, Delivery::as_is},
                      {Kind::chunked, 11, Delivery::as_is},
                      {Kind::chunked, 10, Delivery::unchunk},
                      {Kind::until_close, 11, Delivery::chunk},
                      {Kind::until_close, 10, Delivery::until_close}};
  for (const auto& row : rows) {
    http::RequestHead request;
    request.version = row.version;
    http::ResponseHead response;
    response.framing.kind = row.framing;
    CHECK(choose_delivery(request, response) == row.want);
  }
}

TEST_CASE("no value breaks a head's lines") {
  CHECK(is_field_text("plain, with\ttab"));
  CHECK_FALSE(is_field_text("a\r\nSet-Cookie: x"));
  CHECK_FALSE(is_field_text("a\nb"));
  CHECK_FALSE(is_field_text(std::string_view("a\0b", 3)));
}
