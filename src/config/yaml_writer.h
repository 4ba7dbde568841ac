// The tree of directives as YAML text: the reverse of parse_yaml, driven by the same table. What
// is read back is the same tree, but for positions, the order of directives that does not count,
// `http` (its directives stand at the top level) and lists whose parts add up. Pure, one thread.
#pragma once

#include <string>

#include "config/diagnostics.h"
#include "config/tree.h"

namespace weir::config {

// The text of `tree`, which was read from `dialect`: nginx's defaults are asked for where they
// held. What YAML cannot say goes to `diagnostics`; the text is then not to be used.
[[nodiscard]] std::string write_yaml(const Block& tree, Dialect dialect, Diagnostics& diagnostics);

}  // namespace weir::config
