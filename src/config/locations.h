// All locations of a model, those of `if` and `limit_except` among them.
#pragma once

#include <functional>
#include <string>

#include "config/model.h"

namespace weir::config {

// Calls `visit` for the root of each server, then for what is in it, in the order written; those of
// stream come last.
void for_each_location(const Model& model, const std::function<void(const Location&)>& visit);

// As it is written: "/a", "= /a", "~* a", "@a"; for a block inside, what that stands in.
[[nodiscard]] std::string location_text(const Location& location);

}  // namespace weir::config
