// The rows of variables.def as data: for the reference page, printing and "did you mean".
#pragma once

#include <span>
#include <string_view>

#include "config/variables.h"

namespace weir::config {

struct VariableName {
  Variable id;
  std::string_view name;
  std::string_view help;
};
[[nodiscard]] std::span<const VariableName> variable_names();

}  // namespace weir::config
