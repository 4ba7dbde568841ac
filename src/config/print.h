// The model as text, one setting a line: for tests, and to look at what a configuration means.
// Positions are left out, so that equal configurations give equal texts.
#pragma once

#include <string>

#include "config/model.h"

namespace weir::config {

[[nodiscard]] std::string print(const Model& model);
// The value without a doubt about what belongs to which variable: "http://${host}/x".
[[nodiscard]] std::string print(const Value& value, const Model& model);
// As people write it: "http://$host/x", "$http_x_tenant".
[[nodiscard]] std::string print_plainly(const Value& value, const Model& model);
// What a client is known by: "cookie NAME", "route $cookie_a $arg_b", "learn $cookie_sid".
[[nodiscard]] std::string print_plainly(const StickyConfig& sticky, const Model& model);
// "500ms", "30s".
[[nodiscard]] std::string print(Duration duration);

}  // namespace weir::config
