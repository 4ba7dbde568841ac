#include "config/variables.h"

#include <doctest/doctest.h>

#include "config/variable_names.h"

using namespace weir::config;

TEST_CASE("variables by name") {
  const struct {
    const char* name;
    Variable want;
    const char* argument;
  } cases[] = {{"host", Variable::host, ""},
               {"Host", Variable::host, ""},
               {"uri", Variable::uri, ""},
               {"http_host", Variable::http, "host"},
               {"http_X_Forwarded_For", Variable::http, "x-forwarded-for"},
               {"sent_http_content_type", Variable::sent_http, "content-type"},
               {"upstream_http_set_cookie", Variable::upstream_http, "set-cookie"},
               {"http_", Variable::http, ""},
               {"arg_", Variable::arg, ""},
               {"arg_Name_x", Variable::arg, "Name_x"},
               {"cookie_SID", Variable::cookie, "SID"},
               {"upstream_addr", Variable::upstream_addr, ""}};
  for (const auto& c : cases) {
    CAPTURE(c.name);
    const auto found = find_variable(c.name);
    REQUIRE(found);
    CHECK(found->id == c.want);
    CHECK(found->argument == c.argument);
  }
  for (const char* name : {"", "nope", "http", "1"}) {
    CAPTURE(name);
    CHECK(!find_variable(name));
  }
  for (const auto& row : variable_names()) {
    const auto found = find_variable(row.name);
    REQUIRE(found);
    CHECK(found->id == row.id);
  }
}
