#include <doctest/doctest.h>

#include "fetch/http_client.h"

namespace weir::fetch {
namespace {

TEST_CASE("URLs are taken apart") {
  const struct {
    const char *text, *host, *port, *target;  // host null: it is none
    bool tls = true;
  } rows[] = {{"https://a.example", "a.example", "443", "/"},
              {"https://a.example:14000/dir", "a.example", "14000", "/dir"},
              {"https://[::1]:14000/dir?x", "::1", "14000", "/dir?x"},
              {"https://[::1]/", "::1", "443", "/"},
              {"http://a.example", "a.example", "80", "/", false},
              {"http://a.example:8080/ocsp/", "a.example", "8080", "/ocsp/", false},
              {"http://[::1]", "::1", "80", "/", false},
              {"ftp://a.example/", nullptr, "", ""},
              {"a.example", nullptr, "", ""},
              {"https:///dir", nullptr, "", ""},
              {"http://", nullptr, "", ""},
              {"http://:80/", nullptr, "", ""},
              {"https://a@b/", nullptr, "", ""},
              {"https://a:port/", nullptr, "", ""},
              {"https://a:/", nullptr, "", ""},
              {"https://a?x", nullptr, "", ""},
              {"https://a/x y", nullptr, "", ""}};
  for (const auto& row : rows) {
    CAPTURE(row.text);
    Url url;
    REQUIRE(parse_url(row.text, url) == (row.host != nullptr));
    if (row.host == nullptr) continue;
    CHECK(url.host == row.host);
    CHECK(url.port == row.port);
    CHECK(url.target == row.target);
    CHECK(url.tls == row.tls);
  }
}

}  // namespace
}  // namespace weir::fetch
