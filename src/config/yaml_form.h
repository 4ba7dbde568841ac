// The form in which a person would write directives without a block in YAML: the reverse of
// YamlArguments. Each form is tried on what the reader makes of it. Pure functions.
#pragma once

#include <vector>

#include "config/directives.h"
#include "config/tree.h"
#include "config/yaml_text.h"

namespace weir::config {

using Directives = std::vector<const Directive*>;

// The value of the key that stands for all `directives` (at least one) of the row.
[[nodiscard]] YamlValue yaml_form(const DirectiveInfo& row, const Directives& directives);

// Words as a text with blanks between, or as a list if one has blanks or is empty.
[[nodiscard]] YamlValue yaml_words(const std::vector<std::string>& words);

// The pairs as a mapping; as a sequence of mappings if a key repeats.
[[nodiscard]] YamlValue yaml_in_order(YamlValue mapping);

[[nodiscard]] std::vector<std::string> texts_of(const std::vector<Argument>& arguments);

}  // namespace weir::config
