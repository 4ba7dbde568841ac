#include "http/head.h"

#include <doctest/doctest.h>

#include <string>

using namespace weir::http;

TEST_CASE("field ids") {
  struct Name {
    std::string name;
    FieldId id;
  };
  const Name names[] = {{"Host", FieldId::host},
                        {"te", FieldId::te},
                        {"TE", FieldId::te},
                        {"Transfer-Encoding", FieldId::transfer_encoding},
                        {"TRANSFER-ENCODING", FieldId::transfer_encoding},
                        {"Proxy-Authorization", FieldId::proxy_authorization},
                        {"ETag", FieldId::etag},
                        {"X-Pad", FieldId::x_pad},
                        {"X-Accel-Limit-Rate", FieldId::x_accel_limit_rate},
                        {"X-Forwarded-Host", FieldId::x_forwarded_host},
                        {"X-Forwarded-Port", FieldId::x_forwarded_port},
                        {"", FieldId::other},
                        {"t", FieldId::other},
                        {"Hos", FieldId::other},
                        {"Hostt", FieldId::other},
                        {"Transfer_Encoding", FieldId::other},
                        {"Transfer\rEncoding", FieldId::other},
                        {"Content-Lengt(", FieldId::other},
                        {"X-Forwarded-Past", FieldId::other}};
  for (const Name& name : names) {
    CAPTURE(name.name);
    CHECK(field_id(name.name) == name.id);
  }
}

TEST_CASE("lists of tokens") {
  struct List {
    const char *list, *token;
    bool has;
  };
  const List lists[] = {{"a", "a", true},    {"A", "a", true},       {"a, b", "b", true},
                        {"a,b", "a", true},  {",, b\t,", "b", true}, {"ab", "a", false},
                        {"a b", "a", false}, {"", "a", false},       {"b, ba", "a", false}};
  for (const List& row : lists) {
    CAPTURE(std::string(row.list));
    CHECK(list_has_token(row.list, row.token) == row.has);
  }
}
