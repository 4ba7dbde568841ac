#include "config/condition.h"

#include <doctest/doctest.h>

#include "config/nginx_lexer.h"

using namespace weir::config;

namespace {

std::string shown(const std::vector<Argument>& arguments) {
  std::string out;
  for (const auto& argument : arguments) {
    out += (out.empty() ? "" : " ") + ("[" + argument.text + "]" + (argument.quoted ? "q" : ""));
  }
  return out;
}

std::vector<Argument> words_of(const std::string& text) {
  NginxLexer lexer(text);
  std::vector<Argument> out;
  for (auto token = lexer.next(); token.kind == Token::Kind::word; token = lexer.next()) {
    out.push_back({token.text, {}, token.quoted});
  }
  return out;
}

}  // namespace

TEST_CASE("a condition as one text becomes the words of nginx") {
  const struct {
    const char* text;
    const char* want;  // words, or what is wrong
  } cases[] = {
      {"$a", "[($a)]"},
      {"$a = b", "[($a] [=] [b)]"},
      {"$a = \"b\"", "[($a] [=] [b]q [)]"},
      {"$a = ''", "[($a] [=] []q [)]"},
      {"$a ~ ^/(x|y)$", "[($a] [~] [^/(x|y)$)]"},
      {"$a ~* \\.php$", "[($a] [~*] [\\.php$)]"},
      {" $a\n=\tb ", "[(] [$a] [=] [b] [)]"},
      {"-f $a/${b}c", "[(-f] [$a/${b}c)]"},
      {"", "[()]"},
      {"$a ~ x{2}", "unexpected \"{\"; put quotes around the word that has it"},
      {"$a = b;", "unexpected \";\"; put quotes around the word that has it"},
      {"$a = #b", "a word that begins with # or } needs quotes"},
      {"$a = }", "a word that begins with # or } needs quotes"},
      {"$a = \"b", "no closing \"; the quote is opened here"},
      {"$a = \"b\"c", "unexpected \"c\" after a closing quote; put a blank between"},
      {"$a = b) {", "unexpected \"{\"; put quotes around the word that has it"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.text);
    std::vector<Argument> words;
    const auto error = split_condition(c.text, {}, words);
    CHECK((error.empty() ? shown(words) : error) == c.want);
  }
}

TEST_CASE("the words of nginx become one text") {
  const struct {
    std::string nginx;
    const char* want;  // null: there is none
  } cases[] = {
      {"($a)", "$a"},
      {"( $a )", "$a"},
      {"($a = b)", "$a = b"},
      {"($a = \"b c\")", "$a = \"b c\""},
      {"($a = '' )", "$a = \"\""},
      {"($a ~ \"x{2};\")", "$a ~ \"x{2};\""},
      {"($a ~ x\\))", "$a ~ x\\)"},
      {"($a ~ \"x)\")", "$a ~ \"x)\""},
      {"($a ~ '\"x')", "$a ~ '\"x'"},
      {"($a ~ '\\'\"x')", "$a ~ \"'\\\"x\""},
      {"($a ~ \"\\\\\\\\\")", "$a ~ \"\\\\\\\\\""},
      {"($a ~ \\.php$)", "$a ~ \\.php$"},
      {"($a ~ \\\\t\\d)", "$a ~ \\\\t\\d"},
      {"( \"$a\" = b)", "$a = b"},
      {"( \"$a b\" = c)", " \"$a b\" = c"},
      {"($a = \"#b\")", "$a = \"#b\""},
      {"$a = b)", nullptr},
      {"($a = b", nullptr},
  };
  for (const auto& c : cases) {
    CAPTURE(c.nginx);
    const auto words = words_of(c.nginx + " {");
    const auto text = condition_text(words);
    if (c.want == nullptr) {
      CHECK(!text);
      continue;
    }
    REQUIRE(text);
    CHECK(*text == c.want);
    std::vector<Argument> again;
    CHECK(split_condition(*text, {}, again) == "");
    CHECK(condition_words(again) == condition_words(words));
  }
  CHECK(!condition_text({}));
}
