// Who may ask the admin listener.
#include "admin/guard.h"

#include <doctest/doctest.h>

#include "admin/fixture.h"

namespace weir::admin {

TEST_CASE("hosts that no other site can have") {
  const std::vector<std::string> own = {"lb1.example"};
  for (const char* host : {"", "127.0.0.1", "127.0.0.1:9180", "10.1.2.3:9180", "[::1]:9180",
                           "localhost", "localhost:9180", "LocalHost.", "weir.localhost", "weir",
                           "weir:9180", "lb1.example", "LB1.Example:9180", "lb1.example."}) {
    CAPTURE(host);
    CHECK(is_own_host(host, own));
  }
  for (const char* host :
       {"evil.example", "evil.example:9180", "127.0.0.1.evil.example", "lb1.example.evil.example",
        "xlb1.example", ".localhost.evil", "1.2.3", "localhost.evil.example"}) {
    CAPTURE(host);
    CHECK_FALSE(is_own_host(host, own));
  }
}

TEST_CASE("who is refused, and where") {
  test::Fixture fixture;
  struct Row {
    const char* target;
    const char* host;
    const char* origin;
    const char* site;
    const char* why;
  };
  const char* const other = "requests of other sites";
  const char* const name = "not asked by the name";
  const Row rows[] = {
      {"/", "127.0.0.1", "", "", ""},
      {"/", "127.0.0.1", "", "cross-site", ""},  // a link leads there
      {"/dashboard/main.js", "127.0.0.1", "", "same-origin", ""},
      {"/", "evil.example", "", "", name},
      {"/dashboard/main.js", "evil.example", "", "same-origin", name},
      {"/events", "evil.example", "", "", name},
      {"/events", "127.0.0.1", "", "cross-site", other},
      {"/events", "127.0.0.1", "", "same-site", other},
      {"/events", "127.0.0.1", "", "same-origin", ""},
      {"/events", "127.0.0.1", "http://127.0.0.1", "", ""},
      {"/events", "127.0.0.1", "http://127.0.0.1:81", "", other},
      {"/history?pool=a", "127.0.0.1", "null", "", other},
      {"/upstreams", "evil.example:9180", "", "", name},
      {"/upstreams", "127.0.0.1", "https://evil.example", "", other},
      {"/api/status", "evil.example", "", "", name},
      {"/api/drain?target=a/b", "127.0.0.1", "https://evil.example", "", other},
      {"/metrics", "weir.monitoring.svc:9180", "", "", ""},
      {"/readyz", "evil.example", "", "", ""},
      {"/healthz?x", "evil.example", "", "", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.target);
    CAPTURE(row.host);
    CAPTURE(row.origin);
    const Request request{.method = "GET",
                          .target = row.target,
                          .host = row.host,
                          .origin = row.origin,
                          .fetch_site = row.site};
    const auto why = why_refused(fixture.source, request);
    CAPTURE(why);
    CHECK(why.empty() == std::string(row.why).empty());
    CHECK(why.find(row.why) != std::string::npos);
    auto local = request;
    local.loopback = true;
    const std::string_view path = row.target;
    const bool open = path == "/metrics" || path == "/readyz";
    CHECK(why_refused(fixture.source, local).empty() == (why.empty() && !open));
    auto trusted = local;
    trusted.trusted = true;
    CHECK(why_refused(fixture.source, trusted) == "");
  }
}

TEST_CASE("over loopback, scrapers ask by a name of this machine") {
  test::Fixture fixture;
  for (const char* target : {"/metrics", "/readyz?verbose"}) {
    for (const char* host : {"", "localhost:9180", "127.0.0.1:9180", "[::1]", "weir"}) {
      CHECK(why_refused(fixture.source,
                        {.method = "GET", .target = target, .host = host, .loopback = true}) == "");
    }
    CHECK(why_refused(
              fixture.source,
              {.method = "GET", .target = target, .host = "evil.example", .loopback = true}) != "");
  }
  CHECK(why_refused(
            fixture.source,
            {.method = "GET", .target = "/healthz", .host = "evil.example", .loopback = true}) ==
        "");
}

}  // namespace weir::admin
