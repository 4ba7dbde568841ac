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
// Those of stream: its own, and what it has in common with http.
[[nodiscard]] std::span<const VariableName> stream_variable_names();
// Whether `name`, in lower case, is one of http's, or of stream's: those of a family (http_...) can
// be made anew.
[[nodiscard]] bool is_built_in(std::string_view name, bool stream);

}  // namespace weir::config
