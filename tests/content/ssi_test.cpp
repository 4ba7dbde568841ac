#include "content/ssi.h"

#include <doctest/doctest.h>

using namespace weir::content;

namespace {

// The pieces of a text: text as it is, commands as [name a=b], broken ones as !.
std::string read(std::string_view text, std::size_t max_value = 255) {
  SsiReader reader(text, max_value);
  SsiPiece piece;
  std::string out;
  while (reader.next(piece)) {
    switch (piece.kind) {
      case SsiPiece::Kind::text:
        out.append(piece.text);
        break;
      case SsiPiece::Kind::broken:
        CHECK_FALSE(piece.problem.empty());
        out.append("!");
        break;
      case SsiPiece::Kind::command:
        out.append("[").append(piece.name);
        for (const auto& p : piece.parameters) {
          out.append(" ").append(p.name).append("=").append(p.value);
        }
        out.append("]");
    }
  }
  return out;
}

std::string expand(std::string_view text) {
  std::string out;
  std::string problem;
  const bool good = expand_ssi(
      text,
      [](std::string_view name, std::string& to) {
        if (name != "none") to.append("<").append(name).append(">");
      },
      out, problem);
  CHECK(good == problem.empty());
  return good ? out : "!";
}

std::string problem_of(std::string_view text) {
  SsiReader reader(text, 255);
  SsiPiece piece;
  REQUIRE(reader.next(piece));
  const auto command = find_ssi_command(piece.name);
  REQUIRE(command);
  SsiArguments arguments;
  std::string problem;
  const bool good = match_ssi_parameters(*command, piece, arguments, problem);
  CHECK(good == problem.empty());
  return problem;
}

}  // namespace

TEST_CASE("SSI: a text is taken apart into text and commands") {
  const std::pair<const char*, const char*> rows[] = {
      {"", ""},
      {"text", "text"},
      {"a<!--#echo var=\"x\" -->b", "a[echo var=x]b"},
      {"<!--#echo var='x'-->", "[echo var=x]"},
      {"<!--# echo\tvar\n=\r\"x\"  default = \"y\"-->", "[echo var=x default=y]"},
      {"<!--#else-->", "[else]"},
      {"<!--#else -->", "[else]"},
      {"<!--#e a=\"1\" --><!--#f b='2' -->", "[e a=1][f b=2]"},
      {"<<!--#endif --> <!- <!-- <!--# x -->", "<[endif] <!- <!-- [x]"},
      {"<!--#set var=\"a\" value=\"b\\\"c\\\\\" -->", "[set var=a value=b\\\"c\\\\]"},
      {"<!--#set var=\"it's\" value='a \"b\"' -->", "[set var=it's value=a \"b\"]"},
      {"<!--#e a=\"-->\" -->x", "[e a=-->]x"},
      // Never ended: dropped.
      {"a<!--#", "a"},
      {"a<!--#  ", "a"},
      {"a<!--#echo", "a"},
      {"a<!--#echo var", "a"},
      {"a<!--#echo var=", "a"},
      {"a<!--#echo var=\"x", "a"},
      {"a<!--#echo var=\"x\"", "a"},
      {"a<!--#echo var=\"x\" --", "a"},
      {"a<!--#echo var=x b c", "a"},
      // Broken: up to their end.
      {"<!--#echo var=x -->b", "!b"},
      {"<!--#echo var -->b", "!b"},
      {"<!--#echo var x=\"y\" -->b", "!b"},
      {"<!--#echo var=\"x\"default=\"y\" -->b", "!b"},
      {"<!--#echo -x -->b", "!b"},
      {"<!--#echo --x -->b", "!b"},
      {"<!--#abcdefghijabcdefghijabcdefghijab -->b", "[abcdefghijabcdefghijabcdefghijab]b"},
      {"<!--#abcdefghijabcdefghijabcdefghijabc -->b", "!b"},
      {"<!--#e abcdefghijabcdefghijabcdefghijabc='' -->b", "!b"},
  };
  for (const auto& [text, want] : rows) {
    CAPTURE(text);
    CHECK(read(text) == want);
  }
}

TEST_CASE("SSI: a value may be as long as it is allowed to") {
  CHECK(read("<!--#e a='12345' -->x", 5) == "[e a=12345]x");
  CHECK(read("<!--#e a='123456' -->x", 5) == "!x");
  CHECK(read("<!--#e a='12\\'45' -->x", 5) == "!x");
  // What is too long need not have an end.
  CHECK(read("<!--#e a='123456 -->x", 5) == "!x");
}

TEST_CASE("SSI: parameters are those of the command") {
  CHECK(problem_of("<!--#echo var='a' default='b' encoding='c' -->").empty());
  CHECK(problem_of("<!--#include virtual='a' wait='yes' set='b' -->").empty());
  CHECK(problem_of("<!--#endif -->").empty());
  CHECK(problem_of("<!--#echo default='b' -->").starts_with("missing parameter \"var\""));
  CHECK(problem_of("<!--#echo var='a' var='b' -->").starts_with("duplicate parameter \"var\""));
  CHECK(problem_of("<!--#endif a='b' -->").starts_with("unknown parameter \"a\""));
  std::string many = "<!--#echo";
  for (int i = 0; i < 17; ++i) many += " var='a'";
  CHECK(problem_of(many + " -->").starts_with("too many parameters"));
  CHECK_FALSE(find_ssi_command("exec"));
  CHECK_FALSE(find_ssi_command("ECHO"));
}

TEST_CASE("SSI: a command is written as it can be read again") {
  for (const char* text : {"<!--#if expr=\"$a = /b/\" -->", "<!--#echo var='a\"b' x=\"it's\" -->",
                           "<!--#echo var=\"it's\\\"\" -->", "<!--#else -->",
                           "<!--#set var=\"a\" value=\"a\\\\b\" -->"}) {
    SsiReader reader(text, 255);
    SsiPiece piece;
    REQUIRE(reader.next(piece));
    std::string out;
    append_ssi_command(piece, out);
    CHECK(read(out) == read(text));
  }
}

TEST_CASE("SSI: expressions") {
  struct Row {
    const char* text;
    const char* left;
    const char* right;
    bool negated;
    bool regex;
  };
  const Row rows[] = {
      {"$a = b", "$a", "b", false, false},
      {"$A=b c ", "$a", "b c ", false, false},
      {"Text != ${b}", "text", "${b}", true, false},
      {"$a = /b.c/", "$a", "b.c", false, true},
      {"$a != /b/", "$a", "b", true, true},
      {"$a = \\/b/", "$a", "/b/", false, false},
      {"$a = /", "$a", "/", false, false},
      {"$a = ", "$a", "", false, false},
      {" = x", "", "x", false, false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const auto got = parse_ssi_condition(row.text);
    REQUIRE(got);
    CHECK(got->compares);
    CHECK(got->left == row.left);
    CHECK(got->right == row.right);
    CHECK(got->negated == row.negated);
    CHECK(got->regex == row.regex);
  }
  const auto alone = parse_ssi_condition("$Arg_x ");
  REQUIRE(alone);
  CHECK_FALSE(alone->compares);
  CHECK(alone->left == "$arg_x");
  for (const char* bad : {"$a == ", "$a b", "$a ! b", "$a = /b", "$a-b", "$a < b"}) {
    CAPTURE(bad);
    // "==" compares with a text that begins with "=".
    CHECK(parse_ssi_condition(bad).has_value() == (std::string_view(bad) == "$a == "));
  }
}

TEST_CASE("SSI: variables in texts") {
  const std::pair<const char*, const char*> rows[] = {
      {"", ""},         {"plain", "plain"}, {"$a", "<a>"},       {"x$a-${b}c", "x<a>-<b>c"},
      {"$none", ""},    {"\\$a", "$a"},     {"\\\\$a", "\\<a>"}, {"\\'\\\"\\d\\\\", "'\"\\d\\"},
      {"end\\", "end"}, {"$", "!"},         {"a$-", "!"},        {"${a", "!"},
      {"${a-}", "!"},   {"${}", "!"},
  };
  for (const auto& [text, want] : rows) {
    CAPTURE(text);
    CHECK(expand(text) == want);
  }
}

TEST_CASE("SSI: times") {
  const auto time = [](std::string_view format) {
    std::string out;
    append_ssi_time(format, 784111777, false, out);
    return out;
  };
  CHECK(time(kSsiTimeFormat) == "Sunday, 06-Nov-1994 08:49:37 GMT");
  CHECK(time("%s") == "784111777");
  CHECK(time("at %H h") == "at 08 h");
  CHECK(time("") == "");
  CHECK(time(std::string(3000, 'x')) == "");
}
