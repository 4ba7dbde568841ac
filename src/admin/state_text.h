// What operators have set as the text of the state file: JSON. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "upstream/operator_state.h"

namespace weir::admin {

[[nodiscard]] std::string state_text(const upstream::OperatorState& state);

// The opposite; an empty text is nothing. Empty, or what is wrong with it: then `out` is empty.
[[nodiscard]] std::string parse_state(std::string_view text, upstream::OperatorState& out);

}  // namespace weir::admin
