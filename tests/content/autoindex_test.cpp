#include "content/autoindex.h"

#include <doctest/doctest.h>

#include "content/markup.h"
#include "content/utf8.h"

using namespace weir::content;
using Kind = DirectoryEntry::Kind;

namespace {

constexpr std::time_t kTime = 784111777;  // Sun, 06 Nov 1994 08:49:37 GMT

std::string repeat(std::string_view text, int count) {
  std::string out;
  while (count-- > 0) out.append(text);
  return out;
}

std::string html_line(const DirectoryEntry& entry, const HtmlListing& listing) {
  std::string out;
  append_html_listing("/", {&entry, 1}, listing, out);
  const std::string_view head =
      "<html>\r\n<head><title>Index of /</title></head>\r\n<body>\r\n<h1>Index of "
      "/</h1><hr><pre><a href=\"../\">../</a>\r\n";
  const std::string_view tail = "\r\n</pre><hr></body>\r\n</html>\r\n";
  REQUIRE(out.starts_with(head));
  REQUIRE(out.ends_with(tail));
  return out.substr(head.size(), out.size() - head.size() - tail.size());
}

}  // namespace

TEST_CASE("directories come first, then the bytes of the names count") {
  std::vector<DirectoryEntry> entries = {{"b", Kind::file},      {"a", Kind::other},
                                         {"z", Kind::directory}, {"\xd1\x84", Kind::file},
                                         {"B", Kind::file},      {"y", Kind::directory}};
  sort_entries(entries);
  std::string names;
  for (const auto& entry : entries) names += entry.name + " ";
  CHECK(names == "y z B a b \xd1\x84 ");
}

TEST_CASE("lines of the page") {
  const std::string f45 = repeat("\xd1\x84", 45);
  struct Row {
    DirectoryEntry entry;
    HtmlListing listing;
    std::string want;
  };
  const auto spaces = [](int count) { return repeat(" ", count); };
  const std::string date = " 06-Nov-1994 08:49 ";
  const Row rows[] = {
      {{"file", Kind::file, 42, kTime},
       {},
       "<a href=\"file\">file</a>" + spaces(46) + date + spaces(17) + "42"},
      {{"dir", Kind::directory, 4096, kTime},
       {},
       "<a href=\"dir/\">dir/</a>" + spaces(46) + date + spaces(18) + "-"},
      {{"dir", Kind::directory, 4096, kTime},
       {.exact_size = false},
       "<a href=\"dir/\">dir/</a>" + spaces(46) + date + spaces(6) + "-"},
      {{"pipe", Kind::other, 0, kTime},
       {.exact_size = false},
       "<a href=\"pipe\">pipe</a>" + spaces(46) + date + spaces(6) + "0"},
      {{"f", Kind::file, 42, kTime},
       {.utc_offset = std::chrono::hours{2}},
       "<a href=\"f\">f</a>" + spaces(49) + " 06-Nov-1994 10:49 " + spaces(17) + "42"},
      {{"a%?:<&", Kind::file, 0, kTime},
       {},
       "<a href=\"a%25%3F%3A%3C%26\">a%?:&lt;&amp;</a>" + spaces(44) + date + spaces(18) + "0"},
      {{repeat("x", 50), Kind::directory, 0, kTime},
       {},
       "<a href=\"" + repeat("x", 50) + "/\">" + repeat("x", 50) + "</a>" + date + spaces(18) +
           "-"},
      {{repeat("x", 51), Kind::file, 0, kTime},
       {},
       "<a href=\"" + repeat("x", 51) + "\">" + repeat("x", 47) + "..&gt;</a>" + date + spaces(18) +
           "0"},
      {{repeat(">", 51), Kind::file, 0, kTime},
       {},
       "<a href=\"" + repeat("%3E", 51) + "\">" + repeat("&gt;", 47) + "..&gt;</a>" + date +
           spaces(18) + "0"},
      {{f45, Kind::file, 0, kTime},
       {.utf8 = true},
       "<a href=\"" + repeat("%D1%84", 45) + "\">" + f45 + "</a>" + spaces(5) + date + spaces(18) +
           "0"},
      {{f45, Kind::file, 0, kTime},
       {},
       "<a href=\"" + repeat("%D1%84", 45) + "\">" + f45.substr(0, 47) + "..&gt;</a>" + date +
           spaces(18) + "0"},
      {{f45 + f45, Kind::file, 0, kTime},
       {.utf8 = true},
       "<a href=\"" + repeat("%D1%84", 90) + "\">" + repeat("\xd1\x84", 47) + "..&gt;</a>" + date +
           spaces(18) + "0"},
      {{"\xff" + f45, Kind::file, 0, kTime},
       {.utf8 = true},  // no UTF-8: cut by bytes
       "<a href=\"%FF" + repeat("%D1%84", 45) + "\">\xff" + f45.substr(0, 46) + "..&gt;</a>" +
           date + spaces(18) + "0"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.entry.name);
    CHECK(html_line(row.entry, row.listing) == row.want);
  }
}

TEST_CASE("short sizes") {
  struct Row {
    std::int64_t size;
    const char* want;
  };
  const Row rows[] = {{0, "      0"},
                      {9999, "   9999"},
                      {10000, "    10K"},
                      {10751, "    10K"},
                      {10752, "    11K"},
                      {1048575, "  1024K"},
                      {1048576, "     1M"},
                      {1572863, "     1M"},
                      {1572864, "     2M"},
                      {1073741823, "  1024M"},
                      {1073741824, "     1G"},
                      {1610612736, "     2G"},
                      {10000000000000, "  9313G"}};
  for (const auto& row : rows) {
    CAPTURE(row.size);
    const auto line = html_line({"f", Kind::file, row.size, kTime}, {.exact_size = false});
    CHECK(line.substr(line.size() - 7) == row.want);
  }
}

TEST_CASE("the page's path is escaped") {
  std::string out;
  append_html_listing("/a<&>/", {}, {}, out);
  CHECK(out ==
        "<html>\r\n<head><title>Index of /a&lt;&amp;&gt;/</title></head>\r\n<body>\r\n"
        "<h1>Index of /a&lt;&amp;&gt;/</h1><hr><pre><a href=\"../\">../</a>\r\n"
        "</pre><hr></body>\r\n</html>\r\n");
}

TEST_CASE("XML, JSON and JSONP") {
  const std::vector<DirectoryEntry> entries = {{"d<\">", Kind::directory, 4096, kTime},
                                               {"f\n\"\\", Kind::file, 42, kTime},
                                               {"o\x01", Kind::other, 0, 0}};
  std::string out;
  append_xml_listing(entries, out);
  CHECK(out ==
        "<?xml version=\"1.0\"?>\r\n<list>\r\n"
        "<directory mtime=\"1994-11-06T08:49:37Z\">d&lt;&quot;&gt;</directory>\r\n"
        "<file mtime=\"1994-11-06T08:49:37Z\" size=\"42\">f\n&quot;\\</file>\r\n"
        "<other mtime=\"1970-01-01T00:00:00Z\">o\x01</other>\r\n</list>\r\n");
  out.clear();
  append_json_listing(entries, out);
  const std::string json =
      "[\r\n{ \"name\":\"d<\\\">\", \"type\":\"directory\", \"mtime\":\"Sun, 06 Nov 1994 08:49:37 "
      "GMT\" },"
      "\r\n{ \"name\":\"f\\n\\\"\\\\\", \"type\":\"file\", \"mtime\":\"Sun, 06 Nov 1994 08:49:37 "
      "GMT\", \"size\":42 },"
      "\r\n{ \"name\":\"o\\u0001\", \"type\":\"other\", \"mtime\":\"Thu, 01 Jan 1970 00:00:00 "
      "GMT\" }\r\n]";
  CHECK(out == json);
  out.clear();
  append_jsonp_listing("a.b", entries, out);
  CHECK(out == "/* callback */\r\na.b(" + json + ");");
  out.clear();
  append_json_listing({}, out);
  CHECK(out == "[\r\n]");
}

TEST_CASE("names of callbacks") {
  CHECK(is_callback_name("a.B_9"));
  CHECK(is_callback_name(""));
  CHECK(is_callback_name(std::string(128, 'x')));
  CHECK_FALSE(is_callback_name(std::string(129, 'x')));
  for (const char* bad : {"a b", "a(", "a-b", "\xc3\xa4", "a%20"})
    CHECK_FALSE(is_callback_name(bad));
}

TEST_CASE("UTF-8 is read leniently") {
  struct Row {
    std::string text;
    std::uint32_t want;
    std::size_t left;
  };
  const Row rows[] = {
      {"\xd1\x84x", 0x444, 1},           {"\xe2\x82\xac", 0x20ac, 0},
      {"\xf0\x9f\x98\x80", 0x1f600, 0},  {"\xd1", kHalfUtf8, 1},
      {"\xe2\x82", kHalfUtf8, 2},        {"\xf0\x9f\x98", kHalfUtf8, 3},
      {"\x80x", kBrokenUtf8, 1},         {"\xc1\x81x", kBrokenUtf8, 2},
      {"\xf8\x81x", kBrokenUtf8, 2},     {"\xd1xy", kBrokenUtf8, 1},
      {"\xe2xyz", kBrokenUtf8, 2},       {"\xe0\x80\x80x", kBrokenUtf8, 1},
      {"\xf4\x90\x80\x80", 0x110000, 0}, {"\xd1\xff", 0x47f, 0},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    std::string_view text = row.text;
    CHECK(decode_utf8(text) == row.want);
    CHECK(text.size() == row.left);
  }
  CHECK(count_characters("a\xd1\x84\xe2\x82\xac") == 3);
  CHECK_FALSE(count_characters("a\xd1").has_value());
  CHECK_FALSE(count_characters("\xf4\x90\x80\x80").has_value());
  CHECK(first_characters("a\xd1\x84x", 2) == "a\xd1\x84");
  CHECK(first_characters("ab", 5) == "ab");
}
