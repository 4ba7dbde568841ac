// YAML to the tree of directives, by the table of directives. One thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "config/diagnostics.h"
#include "config/sources.h"
#include "config/tree.h"

namespace weir::config {

// Appends the directives of `text` to `out`. Mistakes go to `diagnostics`.
void parse_yaml(const std::shared_ptr<const std::string>& file, const std::string& text,
                Sources& sources, Diagnostics& diagnostics, Block& out);

// Whether a text is YAML rather than nginx.conf.
[[nodiscard]] bool is_yaml(std::string_view text);

}  // namespace weir::config
