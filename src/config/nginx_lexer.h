// The words of nginx.conf, exactly as nginx splits them: quotes, backslashes, ${variables},
// comments. Views into the text, which must outlive the lexer. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::config {

struct Token {
  enum class Kind : std::uint8_t { word, semicolon, open, close, end, error };
  Kind kind = Kind::end;
  std::string text;  // of a word, quotes and escapes removed; of an error, its message
  bool quoted = false;
  std::uint32_t line = 0;
  std::uint32_t column = 0;  // in bytes, from 1
};

class NginxLexer {
 public:
  explicit NginxLexer(std::string_view text);
  Token next();

 private:
  void advance();
  void skip_blanks();
  Token word();
  Token quoted_word();
  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
  [[nodiscard]] Token start(Token::Kind kind) const;

  std::string_view text_;
  std::size_t at_ = 0;
  std::uint32_t line_ = 1;
  std::uint32_t column_ = 1;
};

}  // namespace weir::config
