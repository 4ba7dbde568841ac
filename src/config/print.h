// The model as text, one setting a line: for tests, and to look at what a configuration means.
// Positions are left out, so that equal configurations give equal texts.
#pragma once

#include <string>

#include "config/model.h"

namespace weir::config {

[[nodiscard]] std::string print(const Model& model);
// The value as it would be written: "http://${host}/x".
[[nodiscard]] std::string print(const Value& value, const Model& model);
// "500ms", "30s".
[[nodiscard]] std::string print(Duration duration);

}  // namespace weir::config
