// Keeps secrets out of what people are shown: logs, error messages, dumps, pages. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace weir {

// Whether mask_passwords() would change the text.
[[nodiscard]] bool has_password(std::string_view text);

// "redis://user:secret@host" as "redis://user:***@host", for every URL in the text.
[[nodiscard]] std::string mask_passwords(std::string_view text);

// The text with "***" wherever `secret` (not empty) stands in it.
[[nodiscard]] std::string mask_text(std::string text, std::string_view secret);

}  // namespace weir
