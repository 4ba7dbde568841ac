// Settings of a location as text, for print(): a line for each that is not nginx's default.
#pragma once

#include <string>
#include <vector>

#include "config/model.h"

namespace weir::config {

[[nodiscard]] std::vector<std::string> print_settings(const RequestConfig& request,
                                                      const Model& model);
[[nodiscard]] std::vector<std::string> print_rules(const std::vector<Rule>& rules,
                                                   const Model& model);
[[nodiscard]] std::string print(const Pattern& pattern);
[[nodiscard]] std::string print(const RedirectRule& rule, const Model& model);
[[nodiscard]] std::string print(const ErrorLog& log);

}  // namespace weir::config
