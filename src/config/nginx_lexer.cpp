#include "config/nginx_lexer.h"

namespace weir::config {
namespace {

constexpr bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// nginx removes the backslash before quotes and backslashes, turns \t \r \n into what they stand
// for, and leaves any other backslash (regular expressions need it).
std::string unescape(std::string_view raw) {
  std::string out;
  out.reserve(raw.size());
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '\\' || i + 1 == raw.size()) {
      out += raw[i];
      continue;
    }
    switch (const char c = raw[++i]) {
      case '"':
      case '\'':
      case '\\':
        out += c;
        break;
      case 't':
        out += '\t';
        break;
      case 'r':
        out += '\r';
        break;
      case 'n':
        out += '\n';
        break;
      default:
        out += '\\';
        out += c;
    }
  }
  return out;
}

Token failure(Token token, std::string message) {
  token.kind = Token::Kind::error;
  token.text = std::move(message);
  return token;
}

}  // namespace

NginxLexer::NginxLexer(std::string_view text) : text_(text) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text_.starts_with(kByteOrderMark)) text_.remove_prefix(kByteOrderMark.size());
}

void NginxLexer::advance() {
  if (text_[at_++] == '\n') {
    ++line_;
    column_ = 1;
  } else {
    ++column_;
  }
}

Token NginxLexer::start(Token::Kind kind) const {
  Token token;
  token.kind = kind;
  token.line = line_;
  token.column = column_;
  return token;
}

void NginxLexer::skip_blanks() {
  while (!at_end()) {
    if (is_blank(text_[at_])) {
      advance();
    } else if (text_[at_] == '#') {
      while (!at_end() && text_[at_] != '\n') advance();
    } else {
      return;
    }
  }
}

Token NginxLexer::next() {
  skip_blanks();
  if (at_end()) return start(Token::Kind::end);
  Token::Kind kind = Token::Kind::word;
  switch (text_[at_]) {
    case ';':
      kind = Token::Kind::semicolon;
      break;
    case '{':
      kind = Token::Kind::open;
      break;
    case '}':
      kind = Token::Kind::close;
      break;
    case '"':
    case '\'':
      return quoted_word();
    default:
      return word();
  }
  Token token = start(kind);
  advance();
  return token;
}

// Up to a blank, `;` or `{`; a `{` straight after `$` belongs to the word.
Token NginxLexer::word() {
  Token token = start(Token::Kind::word);
  const std::size_t from = at_;
  bool after_dollar = false;
  while (!at_end()) {
    const char c = text_[at_];
    if (is_blank(c) || c == ';' || (c == '{' && !after_dollar)) {
      token.text = unescape(text_.substr(from, at_ - from));
      return token;
    }
    if (c != '{') after_dollar = c == '$';
    advance();
    if (c == '\\' && !at_end()) advance();
  }
  return failure(std::move(token), "unexpected end of file, expecting \";\" or \"}\"");
}

Token NginxLexer::quoted_word() {
  Token token = start(Token::Kind::word);
  token.quoted = true;
  const char quote = text_[at_];
  advance();
  const std::size_t from = at_;
  while (!at_end() && text_[at_] != quote) {
    const bool escape = text_[at_] == '\\';
    advance();
    if (escape && !at_end()) advance();
  }
  if (at_end()) {
    return failure(std::move(token),
                   std::string("no closing ") + quote + "; the quote is opened here");
  }
  token.text = unescape(text_.substr(from, at_ - from));
  advance();
  // nginx wants a blank, `;`, `{` or `)` next.
  if (!at_end() && !is_blank(text_[at_]) && text_[at_] != ';' && text_[at_] != '{' &&
      text_[at_] != ')') {
    Token bad = start(Token::Kind::error);
    return failure(std::move(bad), std::string("unexpected \"") + text_[at_] +
                                       "\" after a closing quote; put a blank between");
  }
  return token;
}

}  // namespace weir::config
