#include "config/nginx_lexer.h"

#include <doctest/doctest.h>

#include <string>

using weir::config::NginxLexer;
using weir::config::Token;

namespace {

// Words in brackets, the rest as it is; errors end it.
std::string tokens(const std::string& text) {
  NginxLexer lexer(text);
  std::string out;
  while (true) {
    const Token token = lexer.next();
    switch (token.kind) {
      case Token::Kind::word:
        out += (token.quoted ? "<\"" : "<") + token.text + (token.quoted ? "\">" : ">");
        break;
      case Token::Kind::semicolon:
        out += ";";
        break;
      case Token::Kind::open:
        out += "{";
        break;
      case Token::Kind::close:
        out += "}";
        break;
      case Token::Kind::end:
        return out;
      case Token::Kind::error:
        return out + " " + std::to_string(token.line) + ":" + std::to_string(token.column) + " " +
               token.text;
    }
  }
}

}  // namespace

TEST_CASE("words as nginx splits them") {
  const struct {
    const char* text;
    std::string want;
  } cases[] = {
      {"", ""},
      {"a b;", "<a><b>;"},
      {"a\t\r\n b ;", "<a><b>;"},
      {"a{b;}", "<a>{<b>;}"},
      {"# all of it; {\na;", "<a>;"},
      {"a #b\n c;", "<a><c>;"},
      {"a#b;", "<a#b>;"},       // a comment starts a word only
      {"a b}c;", "<a><b}c>;"},  // so does a brace
      {"a ${b}c;", "<a><${b}c>;"},
      {"a x${b}{", "<a><x${b}>{"},
      {"a $b{", "<a><$b>{"},
      {"a \"b ; { # c\";", "<a><\"b ; { # c\">;"},
      {"a 'b \" c';", "<a><\"b \" c\">;"},
      {"a \"b \\\" c\";", "<a><\"b \" c\">;"},
      {"a \"\";", "<a><\"\">;"},
      {"a b\"c\"d;", "<a><b\"c\"d>;"},  // quotes inside a word are letters
      {"a b\\ c;", "<a><b\\ c>;"},
      {"a b\\;c;", "<a><b\\;c>;"},
      {"a \\.php$;", "<a><\\.php$>;"},
      {"a b\\tc\\nd\\re;", "<a><b\tc\nd\re>;"},
      {"a \\\\.x;", "<a><\\.x>;"},
      {"a \"\\.x\\\\y\";", "<a><\"\\.x\\y\">;"},
      {"a \"b\");", "<a><\"b\"><)>;"},
      {"\xef\xbb\xbf"
       "a;",
       "<a>;"},
      {"a \"b\"c;", "<a> 1:6 unexpected \"c\" after a closing quote; put a blank between"},
      {"a\n  'b", "<a> 2:3 no closing '; the quote is opened here"},
      {"a b", "<a> 1:3 unexpected end of file, expecting \";\" or \"}\""},
      {"a \\", "<a> 1:3 unexpected end of file, expecting \";\" or \"}\""},
  };
  for (const auto& c : cases) {
    CAPTURE(c.text);
    CHECK(tokens(c.text) == c.want);
  }
}
