// How a YAML value gives directives their arguments: all directives but those with a block. The
// value is one of
//   text                          the argument or, where there may be several, words
//   [a, b]                        the arguments (kList, or no kRepeats), or a directive each
//   {address: a, weight: 3}       arguments by name
//   {Name: value}                 a directive each (kPairs); {a b: c d} of words (kSplitPairs)
//   [[a, b], [c]]                 the arguments of a directive each, whatever the directive
// One load; its thread only.
#pragma once

#include "config/directives.h"
#include "config/tree.h"
#include "config/yaml_nodes.h"

namespace weir::config {

class YamlArguments {
 public:
  explicit YamlArguments(YamlNodes& nodes) : nodes_(nodes) {}

  // Appends what `value` says of the directive of `row` to `out`; `at` is the key.
  void read(const DirectiveInfo& row, const YAML::Node& at, const YAML::Node& value, Block& out);

 private:
  void sequence(const DirectiveInfo& row, const YAML::Node& at, const YAML::Node& value,
                Block& out);
  void arguments(const DirectiveInfo& row, const YAML::Node& at, const YAML::Node& list,
                 Block& out);
  void pairs(const DirectiveInfo& row, const YAML::Node& value, Block& out);
  void words(const YAML::Node& at, const std::string& text, Directive& directive);
  void parameters(const DirectiveInfo& row, const YAML::Node& node, const Argument* first,
                  Directive& directive);
  void scalar(const DirectiveInfo& row, const YAML::Node& at, const YAML::Node& value, Block& out);

  YamlNodes& nodes_;
};

}  // namespace weir::config
