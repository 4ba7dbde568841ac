#include "config/condition.h"

#include <algorithm>

#include "config/nginx_lexer.h"
#include "config/suggest.h"

namespace weir::config {
namespace {

// A backslash that the lexer would take away needs another one.
bool loses_backslash(std::string_view text, std::size_t at) {
  constexpr std::string_view kEscaped = "\"'\\trn";
  return at + 1 == text.size() || kEscaped.find(text[at + 1]) != std::string_view::npos;
}

bool can_be_bare(std::string_view word) {
  constexpr std::string_view kSeparators = " \t\r\n;{";
  constexpr std::string_view kFirst = "\"'#}";
  return !word.empty() && word.find_first_of(kSeparators) == std::string_view::npos &&
         kFirst.find(word.front()) == std::string_view::npos;
}

// The word as it is written in nginx.conf.
std::string written(const Argument& word, bool first) {
  const std::string_view text = word.text;
  const bool bare = can_be_bare(text) && (!word.quoted || first);
  const bool has_double = text.find('"') != std::string_view::npos;
  const char mark = has_double && text.find('\'') == std::string_view::npos ? '\'' : '"';
  std::string out;
  if (!bare) out += mark;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && loses_backslash(text, i)) out += '\\';
    if (!bare && text[i] == mark) out += '\\';
    out += text[i];
  }
  if (!bare) out += mark;
  return out;
}

bool is_empty(const Argument& word) { return word.text.empty() && !word.quoted; }

// Without the parentheses; nullopt if they are not there.
std::optional<std::vector<Argument>> inner_words(std::vector<Argument> words) {
  if (words.empty() || !words.front().text.starts_with('(')) return std::nullopt;
  words.front().text.erase(0, 1);
  if (!words.back().text.ends_with(')')) return std::nullopt;
  words.back().text.pop_back();
  std::erase_if(words, is_empty);
  return words;
}

}  // namespace

std::string split_condition(std::string_view text, const Position& at, std::vector<Argument>& out) {
  const std::string whole = "(" + std::string(text) + ") {";
  NginxLexer lexer(whole);
  while (true) {
    Token token = lexer.next();
    switch (token.kind) {
      case Token::Kind::word:
        out.push_back({std::move(token.text), at, token.quoted});
        break;
      case Token::Kind::open:
        if (lexer.next().kind == Token::Kind::end) return {};
        return "unexpected \"{\"; put quotes around the word that has it";
      case Token::Kind::semicolon:
        return "unexpected \";\"; put quotes around the word that has it";
      case Token::Kind::error:
        return token.text;
      default:  // a comment hides the end
        return "a word that begins with # or } needs quotes";
    }
  }
}

std::optional<std::vector<std::string>> condition_words(const std::vector<Argument>& arguments) {
  const auto words = inner_words(arguments);
  if (!words) return std::nullopt;
  std::vector<std::string> texts;
  for (const auto& word : *words) texts.push_back(word.text);
  return texts;
}

std::optional<std::string> condition_text(const std::vector<Argument>& arguments) {
  const auto words = inner_words(arguments);
  if (!words) return std::nullopt;
  const auto want = condition_words(arguments);
  // A blank first keeps the parenthesis apart from a word that needs its quotes.
  for (const bool apart : {false, true}) {
    std::string text;
    for (const auto& word : *words) {
      if (!text.empty() || apart) text += ' ';
      text += written(word, text.empty());
    }
    std::vector<Argument> again;
    if (split_condition(text, {}, again).empty() && condition_words(again) == want) return text;
  }
  return std::nullopt;
}

}  // namespace weir::config
