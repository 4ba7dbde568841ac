// The condition of nginx's `if` as one text: what stands between its parentheses. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/tree.h"

namespace weir::config {

// The arguments of `if (TEXT) {`, as nginx splits them: "$a = b" gives "($a", "=", "b)". They all
// get the position `at`. What is wrong with the text, or "".
std::string split_condition(std::string_view text, const Position& at, std::vector<Argument>& out);

// The text that split_condition turns into these arguments, or into the same with the parentheses
// otherwise attached; nullopt if there is none.
[[nodiscard]] std::optional<std::string> condition_text(const std::vector<Argument>& arguments);

// The words between the parentheses; nullopt if there are none around the arguments.
[[nodiscard]] std::optional<std::vector<std::string>> condition_words(
    const std::vector<Argument>& arguments);

}  // namespace weir::config
