// nginx.conf to the tree of directives, `include` resolved. One thread.
#pragma once

#include <memory>
#include <string>

#include "config/diagnostics.h"
#include "config/sources.h"
#include "config/tree.h"

namespace weir::config {

// Appends the directives of `text` to `out`. Mistakes go to `diagnostics`.
void parse_nginx(const std::shared_ptr<const std::string>& file, const std::string& text,
                 Sources& sources, Diagnostics& diagnostics, Block& out);

}  // namespace weir::config
