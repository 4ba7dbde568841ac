#include "content/accept_encoding.h"

#include <doctest/doctest.h>

#include <string>

using namespace weir::content;

TEST_CASE("gzip is accepted where nginx says so") {
  struct Row {
    const char* field;
    bool want;
  };
  const Row rows[] = {
      {"gzip", true},
      {"gzip,deflate", true},
      {"gzip, deflate, br", true},
      {"deflate, gzip", true},
      {"deflate,GZIP", true},
      {"deflate gzip", true},
      {"x-gzip", false},
      {"x-gzip, gzip", true},
      {"gzipx", false},
      {"gzipx, gzip", false},  // the first word that begins like it decides
      {"gzip ", true},
      {"gzip ;", true},
      {"gzip;q=1", true},
      {"gzip; q=1.000", true},
      {"gzip; Q=0.001", true},
      {"gzip;q=0", false},
      {"gzip;q=0.0", false},
      {"gzip;q=0.000", false},
      {"gzip;q=0.0001", false},
      {"gzip;q=1.001", false},
      {"gzip;q=2", false},
      {"gzip;q=0.5,deflate", true},
      {"gzip;q=0,deflate", false},
      {"gzip;q=", false},
      {"gzip;q", false},
      {"gzip;q =1", false},
      {"gzip;q=1x", false},
      {"gzip;q=0.x", false},
      {"gzip;level=1", false},
      {"*", false},
      {"identity", false},
      {"gzi", false},
      {"", false},
  };
  for (const auto& row : rows) {
    CAPTURE(std::string(row.field));
    CHECK(accepts_gzip(row.field) == row.want);
  }
}

TEST_CASE("the best coding is chosen by quality, then by preference") {
  constexpr CodingSet all{.zstd = true, .brotli = true, .gzip = true};
  struct Row {
    const char* field;
    const char* want;  // "": none
    CodingSet offered = {.zstd = true, .brotli = true, .gzip = true};
  };
  const Row rows[] = {
      {"gzip, deflate, br, zstd", "zstd"},
      {"gzip, deflate, br", "br"},
      {"gzip, deflate", "gzip"},
      {"gzip, deflate, br, zstd", "gzip", {.gzip = true}},
      {"gzip, deflate, br, zstd", "br", {.brotli = true, .gzip = true}},
      {"gzip, deflate, br, zstd", "", {}},
      {"gzip;q=1.0, br;q=0.9, zstd;q=0.8", "gzip"},
      {"gzip;q=0.5, br;q=0.9, zstd;q=0.8", "br"},
      {"gzip;q=0.5, br;q=0.9, zstd;q=0.8", "zstd", {.zstd = true, .gzip = true}},
      {"br;q=0, gzip", "gzip"},
      {"br;q=0, gzip;q=0", ""},
      {"BR", "br"},
      {"*", "zstd"},
      {"*;q=0.5, gzip", "gzip"},
      {"*, zstd;q=0", "br"},
      {"*;q=0", ""},
      {"identity", ""},
      {"identity, br;q=0.5", ""},
      {"identity;q=0.5, br;q=0.5", "br"},
      {"identity;q=0, br;q=0.1", "br"},
      {"br;level=3", ""},
      {"br;q=0.1234", ""},
      {"br;q=1.1", ""},
      {"br ; q=0.7", "br"},
      {"brx, xbr", ""},
      {"", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(std::string(row.field));
    const auto coding = choose_coding(row.field, row.offered);
    CHECK(std::string(coding ? coding_name(*coding) : "") == row.want);
    CHECK_FALSE(choose_coding(row.field, {}).has_value());
  }
  CHECK(choose_coding("zstd", all) == Coding::zstd);
}

TEST_CASE("answers for clients behind a proxy are compressed as gzip_proxied says") {
  constexpr std::time_t now = 784111777;
  constexpr const char* past = "Sun, 06 Nov 1994 08:49:36 GMT";
  constexpr const char* future = "Sun, 06 Nov 1994 08:49:38 GMT";
  const std::string_view no_cache[] = {"max-age=0, No-Cache"};
  const std::string_view no_cache_field[] = {"no-cache=\"Set-Cookie\""};
  const std::string_view spread[] = {"max-age=0", "private"};
  const std::string_view no_store[] = {"no-store"};
  struct Row {
    const char* what;
    Proxied proxied;
    AnswerFacts answer;
    bool want;
    bool authorization = false;
  };
  const Row rows[] = {
      {"off", {}, {}, false},
      {"off beats any", {.off = true, .any = true}, {}, false},
      {"any", {.off = false, .any = true}, {}, true},
      {"auth", {.off = false, .expired = true, .auth = true}, {.expires = future}, true, true},
      {"auth without", {.off = false, .expired = true, .auth = true}, {.expires = future}, false},
      {"expired", {.off = false, .expired = true}, {.expires = past}, true},
      {"not expired", {.off = false, .expired = true}, {.expires = future}, false},
      {"expires no date", {.off = false, .expired = true}, {.expires = "0"}, false},
      {"expired by Date", {.off = false, .expired = true}, {.expires = past, .date = past}, false},
      {"expired before Date",
       {.off = false, .expired = true},
       {.expires = past, .date = future},
       true},
      {"bad Date", {.off = false, .expired = true}, {.expires = past, .date = "x"}, false},
      {"Expires and no flag", {.off = false, .no_cache = true}, {.expires = past}, false},
      {"no-cache", {.off = false, .no_cache = true}, {.cache_control = no_cache}, true},
      {"no-cache of a field",
       {.off = false, .no_cache = true},
       {.cache_control = no_cache_field},
       false},
      {"no-cache, other flag",
       {.off = false, .no_store = true},
       {.cache_control = no_cache},
       false},
      {"no-store", {.off = false, .no_store = true}, {.cache_control = no_store}, true},
      {"private in the second field",
       {.off = false, .private_ = true},
       {.cache_control = spread},
       true},
      {"no_last_modified", {.off = false, .no_last_modified = true}, {}, true},
      {"no_last_modified, with one",
       {.off = false, .no_last_modified = true},
       {.last_modified = true},
       false},
      {"no_etag", {.off = false, .no_etag = true}, {.last_modified = true}, true},
      {"no_etag, with one", {.off = false, .no_etag = true}, {.etag = true}, false},
      {"any flag, nothing said", {.off = false, .no_cache = true}, {}, true},
  };
  for (const auto& row : rows) {
    CAPTURE(std::string(row.what));
    CompressionPolicy policy;
    policy.proxied = row.proxied;
    ClientFacts client{.via = true, .authorization = row.authorization};
    CHECK(may_compress(policy, client, row.answer, now) == row.want);
    client.via = false;
    CHECK(may_compress(policy, client, row.answer, now));
  }
}

TEST_CASE("old versions and unloved browsers get nothing compressed") {
  CompressionPolicy policy;
  policy.disable_msie6 = true;
  policy.disable.push_back(
      [](std::string_view agent) { return agent.find("lynx") != std::string_view::npos; });
  struct Row {
    int version;
    const char* agent;
    bool want;
  };
  const Row rows[] = {
      {11, "curl", true},       {10, "curl", false},       {20, "curl", true},
      {11, "a lynx", false},    {11, "MSIE 6.0 x", false}, {11, "MSIE 6.0; SV1", true},
      {11, "MSIE 7.0 x", true},
  };
  for (const auto& row : rows) {
    CAPTURE(std::string(row.agent));
    CHECK(may_compress(policy, {.http_version = row.version, .user_agent = row.agent}, {}, 0) ==
          row.want);
  }
  CHECK(may_compress(policy, {}, {}, 0));
  policy.http_version = 10;
  CHECK(may_compress(policy, {.http_version = 10}, {}, 0));
}
