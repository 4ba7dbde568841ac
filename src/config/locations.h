// All locations of a model, those of `if` and `limit_except` among them.
#pragma once

#include <functional>

#include "config/model.h"

namespace weir::config {

// Calls `visit` for the root of each server, then for what is in it, in the order written; those of
// stream come last.
void for_each_location(const Model& model, const std::function<void(const Location&)>& visit);

}  // namespace weir::config
