// What nginx's rewrite module does, in the order written: set, rewrite, if, break, return.
// Plain values of the model; proxy/rewrite.cpp carries them out.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "config/regex.h"
#include "config/variables.h"

namespace weir::config {

struct Location;

// A regular expression with the variables that its named groups set.
struct Pattern {
  std::shared_ptr<const Regex> regex;
  // Group number and index into Model::variables.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> variables;
  [[nodiscard]] explicit operator bool() const { return regex != nullptr; }
};

// `set $name value`
struct SetRule {
  VariableRef variable;  // Variable::user, args or limit_rate
  Value value;
};

// `rewrite regex replacement [flag]`
struct RewriteRule {
  enum class Then : std::uint8_t {
    go_on,      // with the rules that follow
    search,     // last: look for the location of the new path
    stop,       // break: stay here
    redirect,   // to the client: 302
    permanent,  // 301
  };
  Pattern pattern;
  Value replacement;       // up to the final '?', which is not part of it
  bool keeps_args = true;  // the request's arguments are appended: no '?' at the end
  bool has_args = false;   // the replacement has arguments of its own
  Then then = Then::go_on;
};

struct BreakRule {};

// `return CODE [TEXT];` `return CODE URL;` `return URL;`
struct ReturnRule {
  std::uint16_t status = 200;
  Value text;  // body, or the Location when redirect
  bool has_text = false;
  bool redirect = false;  // 301, 302, 303, 307, 308 with a text
};

// The condition of an `if`.
struct Condition {
  enum class Test : std::uint8_t {
    truthy,      // neither empty nor "0"
    equal,       // =
    match,       // ~ and ~*
    file,        // -f
    directory,   // -d
    exists,      // -e
    executable,  // -x
  };
  Test test = Test::truthy;
  bool negated = false;
  Value subject;
  Value other;      // equal
  Pattern pattern;  // match
};

struct IfRule;
using Rule = std::variant<SetRule, RewriteRule, BreakRule, ReturnRule, std::unique_ptr<IfRule>>;

struct IfRule {
  Condition condition;
  std::vector<Rule> rules;
  // The settings that hold from here on if the condition is true; null in a server, where an `if`
  // has none.
  std::unique_ptr<Location> location;
};

}  // namespace weir::config
