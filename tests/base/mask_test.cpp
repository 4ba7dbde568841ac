// Secrets that are kept out of what people are shown.
#include "base/mask.h"

#include <doctest/doctest.h>

namespace weir {

TEST_CASE("passwords in URLs are masked, and nothing else") {
  struct Row {
    const char* text;
    const char* masked;
  };
  const Row rows[] = {
      {"", ""},
      {"nothing: here @ all", "nothing: here @ all"},
      {"redis://:secret@10.0.0.1:6379/4", "redis://:***@10.0.0.1:6379/4"},
      {"redis://user:secret@host", "redis://user:***@host"},
      {"registry redis://u:p@h/4 app=main;", "registry redis://u:***@h/4 app=main;"},
      {"registry: {url: \"redis://:a%40b@h\"}", "registry: {url: \"redis://:***@h\"}"},
      {"a redis://:1@h and rediss://:2@h", "a redis://:***@h and rediss://:***@h"},
      {"redis+sentinel://:pw@h1,h2/master/0", "redis+sentinel://:***@h1,h2/master/0"},
      {"unix://:pw@/run/redis.sock?db=4", "unix://:***@/run/redis.sock?db=4"},
      {"redis://:p@ss@h", "redis://:***@h"},
      {"redis://:p/ss@h", "redis://:***@h"},
      {"http://10.0.0.1:80/a@b", "http://10.0.0.1:80/a@b"},
      {"http://[::1]:80/a@b", "http://[::1]:80/a@b"},
      {"http://h/a:b@c", "http://h/a:b@c"},
      {"http://unix:/run/app.sock:/a@b", "http://unix:/run/app.sock:/a@b"},
      {"http://$host:$server_port/x", "http://$host:$server_port/x"},
      {"https://user@host/", "https://user@host/"},
      {"redis://:@h", "redis://:@h"},
      {"redis://:a^b|c<d>e{f}g@h", "redis://:***@h"},
      {"redis://:a'b\"c\\d`e@h", "redis://:***@h"},
      {"registry 'redis://:a\"b@h'; # @", "registry 'redis://:***@h'; # @"},
      {"registry \"redis://:a'b c@h\"; # @", "registry \"redis://:***@h\"; # @"},
      {"registry \"redis://:a\\\"b@h\";", "registry \"redis://:***@h\";"},
      {"{\"a\":\"redis://:b@h\",\"c\":\"d@e\"}", "{\"a\":\"redis://:***@h\",\"c\":\"d@e\"}"},
      {"\\\"redis://:b@h\\\",\\\"d@e\\\"", "\\\"redis://:***@h\\\",\\\"d@e\\\""},
      {"redis://:a@h\nb@c", "redis://:***@h\nb@c"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CHECK(mask_passwords(row.text) == row.masked);
    CHECK(has_password(row.text) == (std::string(row.text) != row.masked));
  }
}

TEST_CASE("a word is masked at its place, whatever it is written like") {
  struct Row {
    const char* text;
    std::size_t line, column;
    bool yaml;
    const char* masked;
  };
  const Row rows[] = {
      {"token abc;", 1, 7, false, "token ***;"},
      {"{ token abc; }\n", 1, 9, false, "{ token ***; }\n"},
      {"a b;\ntoken \"a;\\\"c\";", 2, 7, false, "a b;\ntoken ***;"},
      {"token 'a \\' b' c;", 1, 7, false, "token *** c;"},
      {"token a\\;b\\ c;", 1, 7, false, "token ***;"},
      {"token \"two\nlines\";", 1, 7, false, "token ***;"},
      {"token \"no end", 1, 7, false, "token ***"},
      {"token: abc # d\nb: 1\n", 1, 8, true, "token: ***\nb: 1\n"},
      {"token: 'it''s' # d", 1, 8, true, "token: *** # d"},
      {"token: \"a\\\"b\"\r\n", 1, 8, true, "token: ***\r\n"},
      {"short", 2, 1, false, "short"},
      {"short", 1, 6, false, "short"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    std::string text = row.text;
    mask_word(text, row.line, row.column, row.yaml);
    CHECK(text == row.masked);
  }
}

TEST_CASE("a secret is masked wherever it stands") {
  CHECK(mask_text("token abc; # abc", "abc") == "token ***; # ***");
  CHECK(mask_text("abab", "ab") == "******");
  CHECK(mask_text("none", "abc") == "none");
  CHECK(mask_text("none", "") == "none");
}

}  // namespace weir
