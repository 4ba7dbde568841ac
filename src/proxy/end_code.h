// How a request ended: what ended it and in which phase. The tables are end_codes.def. Plain
// values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/error.h"

namespace weir::proxy {

// Where an exchange is.
enum class Phase : std::uint8_t {
#define WEIR_END_CAUSE(id, letter, text)
#define WEIR_END_PHASE(id, letter, doing) id,
#include "proxy/end_codes.def"
#undef WEIR_END_CAUSE
#undef WEIR_END_PHASE
};

enum class EndCause : std::uint8_t {
#define WEIR_END_CAUSE(id, letter, text) id,
#define WEIR_END_PHASE(id, letter, doing)
#include "proxy/end_codes.def"
#undef WEIR_END_CAUSE
#undef WEIR_END_PHASE
};

struct EndLetter {
  char letter;
  std::string_view text;
};
inline constexpr std::array kEndCauses = {
#define WEIR_END_CAUSE(id, letter, text) EndLetter{letter, text},
#define WEIR_END_PHASE(id, letter, doing)
#include "proxy/end_codes.def"
#undef WEIR_END_CAUSE
#undef WEIR_END_PHASE
};
inline constexpr std::array kPhases = {
#define WEIR_END_CAUSE(id, letter, text)
#define WEIR_END_PHASE(id, letter, doing) EndLetter{letter, doing},
#include "proxy/end_codes.def"
#undef WEIR_END_CAUSE
#undef WEIR_END_PHASE
};

// What an error says of who ended a request.
[[nodiscard]] EndCause end_cause(Errc what);

struct EndCode {
  EndCause cause = EndCause::none;
  Phase phase = Phase::done;  // without meaning for `none`
  // "--" for a request that ended as it should.
  [[nodiscard]] std::array<char, 2> letters() const {
    if (cause == EndCause::none) return {'-', '-'};
    return {kEndCauses[static_cast<std::size_t>(cause)].letter,
            kPhases[static_cast<std::size_t>(phase)].letter};
  }
};

}  // namespace weir::proxy
