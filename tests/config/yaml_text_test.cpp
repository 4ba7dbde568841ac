// The text of YAML: quotes, lines, and what it cannot hold.
#include "config/yaml_text.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace weir::config;

TEST_CASE("scalars have quotes where they need them") {
  const struct {
    const char* text;
    const char* block;
    const char* flow;  // null: the same
  } cases[] = {
      {"plain", "plain", nullptr},
      {"two words", "two words", nullptr},
      {"", "\"\"", nullptr},
      {" a", "\" a\"", nullptr},
      {"a ", "\"a \"", nullptr},
      // What YAML 1.1 or 1.2 take for something else.
      {"no", "\"no\"", nullptr},
      {"Off", "\"Off\"", nullptr},
      {"y", "\"y\"", nullptr},
      {"true", "\"true\"", nullptr},
      {"~", "\"~\"", nullptr},
      {"null", "\"null\"", nullptr},
      {"<<", "\"<<\"", nullptr},
      {"=", "\"=\"", nullptr},
      {"010", "\"010\"", nullptr},
      {"0x1f", "\"0x1f\"", nullptr},
      {"0o17", "\"0o17\"", nullptr},
      {"1.1", "\"1.1\"", nullptr},
      {"1.", "\"1.\"", nullptr},
      {".5", "\".5\"", nullptr},
      {"1e3", "\"1e3\"", nullptr},
      {"1_000", "\"1_000\"", nullptr},
      {"+1", "\"+1\"", nullptr},
      {"-0", "\"-0\"", nullptr},
      {"12:30:45", "\"12:30:45\"", nullptr},
      {"2001-12-14", "\"2001-12-14\"", nullptr},
      {".inf", "\".inf\"", nullptr},
      {"12345678901234567890", "\"12345678901234567890\"", nullptr},
      // What they take for what it is.
      {"0", "0", nullptr},
      {"80", "80", nullptr},
      {"-1", "-1", nullptr},
      {"10.0.0.1", "10.0.0.1", nullptr},
      {"10.0.0.1:80", "10.0.0.1:80", nullptr},
      {"10.0.0.0/8", "10.0.0.0/8", nullptr},
      {"80:8080", "80:8080", nullptr},
      {"200-299", "200-299", nullptr},
      {"30s", "30s", nullptr},
      {"1m", "1m", nullptr},
      {"+", "+", nullptr},
      {".", ".", nullptr},
      {".example.org", ".example.org", nullptr},
      {"_", "_", nullptr},
      {"$host", "$host", nullptr},
      {"~^a", "~^a", nullptr},
      {"~ x", "~ x", nullptr},
      {"^/(.*)$", "^/(.*)$", nullptr},
      {"http://a:80/b", "http://a:80/b", nullptr},
      // Signs of YAML.
      {"a: b", "\"a: b\"", nullptr},
      {"a:", "\"a:\"", nullptr},
      {"::1", "\"::1\"", nullptr},
      {"a #b", "\"a #b\"", nullptr},
      {"a#b", "a#b", nullptr},
      {"#a", "\"#a\"", nullptr},
      {"*.a", "\"*.a\"", nullptr},
      {"&a", "\"&a\"", nullptr},
      {"!a", "\"!a\"", nullptr},
      {"|a", "\"|a\"", nullptr},
      {">a", "\">a\"", nullptr},
      {"%a", "\"%a\"", nullptr},
      {"@a", "\"@a\"", nullptr},
      {"`a", "\"`a\"", nullptr},
      {"-", "\"-\"", nullptr},
      {"- a", "\"- a\"", nullptr},
      {"-a", "-a", nullptr},
      {"---", "\"---\"", nullptr},
      {"...", "\"...\"", nullptr},
      {"? a", "\"? a\"", nullptr},
      {"[a]", "\"[a]\"", nullptr},
      {"{a}", "\"{a}\"", nullptr},
      {"a[b]", "a[b]", "\"a[b]\""},
      {"a{2}", "a{2}", "\"a{2}\""},
      {"a,b", "a,b", "\"a,b\""},
      {"a?b", "a?b", "\"a?b\""},
      // Quotes.
      {"\"a\"", "'\"a\"'", nullptr},
      {"'a'", "\"'a'\"", nullptr},
      {"'\"", "'''\"'", nullptr},
      {"a\"b", "a\"b", nullptr},
      {"\\d, [", "\\d, [", "'\\d, ['"},
      // What cannot be shown.
      {"a\nb", "\"a\\nb\"", nullptr},
      {"\t\r", "\"\\t\\r\"", nullptr},
      {"\x01\"\\", "\"\\u0001\\\"\\\\\"", nullptr},
      {"\x7f", "\"\\u007f\"", nullptr},
      {"\u00a0", "\u00a0", nullptr},
      {"\xc2\x85", "\"\\u0085\"", nullptr},
      {"\u2028", "\"\\u2028\"", nullptr},
      {"\ufeff", "\"\\ufeff\"", nullptr},
      {"\u00e9\u4e2d\U0001f600", "\u00e9\u4e2d\U0001f600", nullptr},
  };
  for (const auto& c : cases) {
    CAPTURE(c.text);
    CHECK(yaml_scalar(c.text, false) == c.block);
    CHECK(yaml_scalar(c.text, true) == (c.flow != nullptr ? c.flow : c.block));
  }
}

TEST_CASE("text of YAML is UTF-8") {
  for (const char* good :
       {"", "a", "\u00e9", "\u07ff", "\u0800", "\uffff", "\U00010000", "\U0010ffff"}) {
    CAPTURE(good);
    CHECK(is_utf8(good));
  }
  for (const char* bad : {"\x80", "\xc3", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
                          "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    CAPTURE(bad);
    CHECK(!is_utf8(bad));
  }
}

TEST_CASE("lines") {
  const auto words = [](std::size_t count) {
    return YamlValue::list(std::vector<std::string>(count, "abcdefgh"));
  };
  const std::string nine =
      "abcdefgh, abcdefgh, abcdefgh, abcdefgh, abcdefgh, abcdefgh, abcdefgh, "
      "abcdefgh, abcdefgh";
  YamlValue root = YamlValue::mapping();
  root.add("short", words(9));
  root.add("longer", words(9));
  root.add("one", YamlValue::of("a"));
  root.add("two", YamlValue::of("b"));
  root.add("lists", YamlValue::sequence({words(1), words(10), YamlValue::mapping()}));
  root.add(std::string(1100, 'k'), YamlValue::of("v"));
  std::string lines;
  for (int i = 0; i < 9; ++i) lines += "  - abcdefgh\n";
  CHECK(nine.size() == 88);
  CHECK(yaml_text(root) == "short: [" + nine + "]\nlonger: [" + nine +
                               "]\none: a\ntwo: b\n\nlists:\n" + "  - [abcdefgh]\n  - [" + nine +
                               ", abcdefgh]\n  - {}\n\n? " + std::string(1100, 'k') + "\n: v\n");
  root = YamlValue::mapping();
  root.add("a_longer_key", words(9));
  CHECK(yaml_text(root) == "a_longer_key:\n" + lines);
  CHECK(yaml_text(YamlValue::mapping()) == "{}\n");
}
