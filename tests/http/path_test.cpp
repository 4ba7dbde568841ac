#include "http/path.h"

#include <doctest/doctest.h>

using namespace weir::http;

TEST_CASE("paths are brought to their normal form") {
  struct Row {
    const char* raw;
    const char* want;  // null: refused
    bool merge = true;
  };
  const Row rows[] = {
      {"/", "/"},
      {"/a/b", "/a/b"},
      {"/a%20b", "/a b"},
      {"/%41%2f%62", "/A/b"},
      {"/a//b///c", "/a/b/c"},
      {"/a//b", "/a//b", false},
      {"//", "/"},
      {"/./a", "/a"},
      {"/a/.", "/a/"},
      {"/a/./b", "/a/b"},
      {"/a/../b", "/b"},
      {"/a/b/..", "/a/"},
      {"/a/b/../..", "/"},
      {"/a/b/../../c", "/c"},
      {"/.a", "/.a"},
      {"/..a/...", "/..a/..."},
      {"/a/%2e%2e/b", "/b"},
      {"/a%2f..%2fb", "/b"},
      {"/a//../b", "/b"},
      {"/a//../b", "/a/b", false},
      {"/..", nullptr},
      {"/../a", nullptr},
      {"/a/../../b", nullptr},
      {"/%2e%2e/", nullptr},
      {"", nullptr},
      {"a", nullptr},
      {"%2fa", "/a"},
      {"/a%00", nullptr},
      {"/a%", nullptr},
      {"/a%4", nullptr},
      {"/a%zz", nullptr},
      {"/a+b", "/a+b"},
      {"/%ff", "/\xff"},
  };
  std::string out;
  for (const auto& row : rows) {
    CAPTURE(row.raw);
    CAPTURE(row.merge);
    const bool ok = normalize_path(row.raw, row.merge, out);
    CHECK(ok == (row.want != nullptr));
    if (ok && row.want) CHECK(out == row.want);
  }
}

TEST_CASE("a normal path stays as it is when it is made normal again, once escaped") {
  for (const char* path : {"/", "/a b", "/100%", "/what?", "/\xc3\xa4#"}) {
    CAPTURE(path);
    std::string escaped, back;
    escape_uri(path, escaped);
    CHECK(escaped.find_first_of(" ?#") == std::string::npos);
    REQUIRE(normalize_path(escaped, true, back));
    CHECK(back == path);
  }
}

TEST_CASE("what is escaped") {
  std::string plain, escaped;
  for (int c = 0; c < 256; ++c) plain.push_back(static_cast<char>(c));
  escape_uri(std::string_view(plain).substr(0x20, 0x60), escaped);
  CHECK(escaped ==
        "%20!%22%23$%25&'()*+,-./0123456789:;%3C=%3E%3F@ABCDEFGHIJKLMNOPQRSTUVWXYZ[%5C]%5E_%60"
        "abcdefghijklmnopqrstuvwxyz%7B%7C%7D~%7F");
  for (int c = 0; c < 256; ++c) {
    if (c >= 0x20 && c < 0x7f) continue;
    escaped = "kept";
    escape_uri(std::string_view(plain).substr(static_cast<std::size_t>(c), 1), escaped);
    CHECK(escaped.size() == 7);
    CHECK(escaped.starts_with("kept%"));
  }
}
