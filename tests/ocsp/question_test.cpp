#include "ocsp/question.h"

#include <doctest/doctest.h>

namespace weir::ocsp {
namespace {

TEST_CASE("short questions are part of the URL, others are sent") {
  const std::string longer(150, 'x');
  const struct {
    const char* url;
    std::string der;
    const char* asked;  // null: by POST
  } rows[] = {{"http://a", "a", "http://a/YQ%3D%3D"},
              {"http://a/", "\xff\xef\xbe", "http://a/%2F%2B%2B%2B"},
              {"http://a/ocsp", "abc", "http://a/ocsp/YWJj"},
              {"http://a/ocsp?x", "abc", nullptr},
              {"http://a/", longer, "http://a/"},
              {"http://a/", longer + longer, nullptr}};
  for (const auto& row : rows) {
    CAPTURE(row.url);
    const auto request = question(row.url, row.der);
    if (row.asked == nullptr) {
      CHECK(request.url == row.url);
      CHECK(request.body == row.der);
      CHECK(request.content_type == "application/ocsp-request");
      continue;
    }
    CHECK(request.url.starts_with(row.asked));
    CHECK(request.body.empty());
  }
}

}  // namespace
}  // namespace weir::ocsp
