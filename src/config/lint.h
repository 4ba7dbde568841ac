// Warnings of what is allowed and yet surely not what was meant: fields that are lost on the way
// down, slashes that do not fit, conditions that switch things off. Looks at the tree, which has
// the positions; run when it has compiled without errors. A pure function of the loading thread.
#pragma once

#include "config/diagnostics.h"
#include "config/tree.h"

namespace weir::config {

void lint(const Block& tree, Diagnostics& diagnostics);

}  // namespace weir::config
