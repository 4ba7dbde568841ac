// Keeps secrets out of what people are shown: logs, error messages, dumps, pages. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace weir {

// Whether mask_passwords() would change the text.
[[nodiscard]] bool has_password(std::string_view text);

// "redis://user:secret@host" as "redis://user:***@host", for every URL in the text.
[[nodiscard]] std::string mask_passwords(std::string_view text);

// Puts "***" in the place of the word that begins in `line` at `column` (both from 1 on, in bytes),
// as nginx's syntax, or YAML's, writes it: with its quotes, or, without them, up to a blank or a
// semicolon, in YAML to the end of the line.
void mask_word(std::string& text, std::size_t line, std::size_t column, bool yaml);

// The text with "***" wherever `secret` (not empty) stands in it.
[[nodiscard]] std::string mask_text(std::string text, std::string_view secret);

}  // namespace weir
