#include "content/mime_types.h"

#include <doctest/doctest.h>

#include "content/type_set.h"

using namespace weir::content;

TEST_CASE("the extension of a path") {
  struct Row {
    const char* path;
    const char* want;
  };
  const Row rows[] = {
      {"/a.html", "html"}, {"/a.b.JS", "JS"},     {"/a", ""},     {"/a.", ""},
      {"/.html", ""},      {"/d/.html", ""},      {"/d.d/a", ""}, {"/d.d/a.x", "x"},
      {"/..x", "x"},       {"/a.html/", ""},      {"/", ""},      {"", ""},
      {"/a.b/", ""},       {"/a/b.tar.gz", "gz"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.path);
    CHECK(std::string(extension_of(row.path)) == row.want);
  }
}

TEST_CASE("types are found in any case, the later of two counts") {
  MimeTypes types;
  CHECK_FALSE(types.add("HTML", "text/html").has_value());
  CHECK(types.add("html", "text/plain") == "text/html");
  REQUIRE(types.find("hTmL") != nullptr);
  CHECK(*types.find("hTmL") == "text/plain");
  CHECK(types.find("htm") == nullptr);
  CHECK(types.find("") == nullptr);
  CHECK(types.find(std::string(1000, 'x')) == nullptr);
}

TEST_CASE("types without a configuration") {
  const auto types = MimeTypes::defaults();
  CHECK(types.size() == 3);
  CHECK(*types.find("html") == "text/html");
  CHECK(*types.find("gif") == "image/gif");
  CHECK(*types.find("jpg") == "image/jpeg");
}

TEST_CASE("sets of types") {
  auto types = TypeSet::html();
  CHECK(types.add("Text/CSS"));
  CHECK_FALSE(types.add("text/css"));
  CHECK(types.contains("text/html"));
  CHECK(types.contains("TEXT/css"));
  CHECK_FALSE(types.contains("text/plain"));
  CHECK_FALSE(types.contains(""));
  CHECK(types.add("*"));
  CHECK(types.contains("text/plain"));
  CHECK(types.contains(""));
  CHECK(TypeSet::charset_defaults().contains("application/rss+xml"));
}

TEST_CASE("what of a Content-Type is compared with a set") {
  struct Row {
    const char* value;
    const char* matched;
    const char* charset;
  };
  const Row rows[] = {
      {"text/html", "text/html", ""},
      {"text/html; charset=utf-8", "text/html", "utf-8"},
      {"text/html;charset=\"utf-8\"", "text/html", "utf-8"},
      {"text/html ;  CHARSET=x", "text/html ", "x"},
      {"text/html; level=1", "text/html; level=1", ""},
      {"text/html; level=1; charset=x", "text/html; level=1", "x"},
      {"text/html;", "text/html;", ""},
      {"text/html; charset=", "text/html", ""},
      {"text/html; charset", "text/html; charset", ""},
      {"", "", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.value);
    const auto type = parse_content_type(row.value);
    CHECK(std::string(type.matched) == row.matched);
    CHECK(std::string(type.charset) == row.charset);
  }
}
