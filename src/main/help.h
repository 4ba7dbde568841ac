// `weir -h`: how to call it, and the reference pages, made of the tables that the program works
// with.
#pragma once

#include <optional>
#include <string>

#include "main/program.h"

namespace weir::main {

[[nodiscard]] std::string usage(const Program& program);
// directives, variables, metrics, errors, end_codes or verbs; nullopt: there is no such page.
[[nodiscard]] std::optional<std::string> help_page(const std::string& topic);

}  // namespace weir::main
