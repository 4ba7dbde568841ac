// Carries out the rules of nginx's rewrite module on an exchange: set, rewrite, if, break, return.
// Worker thread.
#pragma once

#include <optional>
#include <vector>

#include "config/rules.h"
#include "proxy/exchange.h"

namespace weir::proxy {

class Rewriter {
 public:
  explicit Rewriter(Exchange& x) : x_(x) {}

  // What the rules lead to. `go_on`: nothing but, perhaps, other settings (Exchange::location());
  // `locate`: another path.
  Step run(const std::vector<config::Rule>& rules);

 private:
  // nullopt: the next rule.
  using Outcome = std::optional<Step>;
  Outcome run_all(const std::vector<config::Rule>& rules);
  Outcome apply(const config::SetRule& rule);
  Outcome apply(const config::RewriteRule& rule);
  Outcome apply(const config::BreakRule& rule);
  Outcome apply(const config::ReturnRule& rule);
  Outcome apply(const std::unique_ptr<config::IfRule>& rule);
  Step redirect(const config::RewriteRule& rule, int status);
  void replace(const config::RewriteRule& rule);
  [[nodiscard]] bool holds(const config::Condition& condition);
  void log_rewrite(std::string_view text);

  Exchange& x_;
  bool changed_ = false;  // the path, and its location is to be looked for
};

}  // namespace weir::proxy
