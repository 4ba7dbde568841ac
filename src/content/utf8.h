// UTF-8 as nginx reads it: more lenient than RFC 3629 about what follows a first byte. Pure
// functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace weir::content {

// What decode_utf8 returns besides characters; both are above every character.
inline constexpr std::uint32_t kBrokenUtf8 = 0xffffffff;
inline constexpr std::uint32_t kHalfUtf8 = 0xfffffffe;
inline constexpr std::uint32_t kLastCharacter = 0x10ffff;

// Takes a character of two bytes or more from the front of `text`, which is not empty and begins
// with a byte above 0x7f. May return a number above kLastCharacter. kBrokenUtf8: a first byte that
// there is not, a byte below 0x80 behind it (that is taken too), or a longer form than needed.
// kHalfUtf8: `text` ends too early, and nothing is taken.
std::uint32_t decode_utf8(std::string_view& text);

// How many characters there are; nullopt: it is no UTF-8.
[[nodiscard]] std::optional<std::size_t> count_characters(std::string_view text);

// The first `count` characters of a text that is UTF-8.
[[nodiscard]] std::string_view first_characters(std::string_view text, std::size_t count);

}  // namespace weir::content
