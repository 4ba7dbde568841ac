// Heads whose lines end in LF alone, which nginx takes and the parser refuses: they are put right
// before they are parsed, so that nothing behind the parser ever sees them. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>

namespace weir::http {

enum class LineEnds : std::uint8_t {
  good,    // there is no LF alone
  mended,  // each line of the head, as far as it has come, ends in CRLF now
};
// Looks at the head at the start of `bytes`, at `most` bytes of it; what follows it stays as it is.
[[nodiscard]] LineEnds mend_line_ends(std::string& bytes, std::size_t most);

}  // namespace weir::http
