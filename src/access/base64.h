// Base64 (RFC 4648) as nginx reads and writes it. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

namespace weir::access {

enum class Alphabet : char {
  standard,  // + /
  url,       // - _
};

// Decodes up to the first '=', whatever stands behind it; padding may be missing, and the last
// letter's left-over bits may be set. False: a character of no alphabet, or one letter too many.
[[nodiscard]] bool decode_base64(std::string_view text, Alphabet alphabet, std::string& out);

// With padding, in the standard alphabet.
[[nodiscard]] std::string encode_base64(std::string_view bytes);

}  // namespace weir::access
