// Walks the nodes that yaml-cpp has parsed: bounded, since a small file of aliases to aliases
// stands for billions, with the checks that every mapping needs and the places for messages.
// Owned by one load; its thread only.
#pragma once

#include <yaml-cpp/yaml.h>

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "config/diagnostics.h"
#include "config/suggest.h"
#include "config/tree.h"

namespace weir::config {

class YamlNodes {
 public:
  static constexpr std::size_t kMaxNodes = 200000;  // looked at, aliases followed
  static constexpr std::size_t kMaxDepth = 200;     // more than Sources::kMaxNesting needs

  explicit YamlNodes(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  // The file that the nodes read from now on are of; the one before.
  std::shared_ptr<const std::string> set_file(std::shared_ptr<const std::string> file);

  // Counts a node to be looked into: false if it must not be. After true, leave() is called.
  bool enter(const YAML::Node& node);
  void leave() { --depth_; }
  // Nothing more is read.
  [[nodiscard]] bool stopped() const { return exhausted_ || diagnostics_.full(); }

  // Calls visit(key, key node, value) for the pairs of a mapping; keys are unique text.
  template <class Visit>
  void each(const YAML::Node& node, const std::string& what, const Visit& visit);

  // The same for a mapping or a sequence of mappings, whose keys are unique in each of them.
  template <class Visit>
  void each_in_order(const YAML::Node& node, const std::string& what, const Visit& visit);

  // Calls visit(item) for the items of a sequence; anything else counts as a sequence of one.
  template <class Visit>
  void items(const YAML::Node& node, const Visit& visit);

  // "" for null; an error unless it is a scalar.
  std::string text(const YAML::Node& node);
  // true, on, false, off; else an error.
  std::optional<bool> flag(const YAML::Node& node);

  Argument argument(const YAML::Node& at, std::string text) const;
  Directive& add(std::string name, const YAML::Node& at, Block& out) const;
  [[nodiscard]] Position position(const YAML::Mark& mark) const;
  void fail(const YAML::Node& at, const std::string& message);

 private:
  bool count(const YAML::Node& node);
  static bool plain_tag(const YAML::Node& node);

  Diagnostics& diagnostics_;
  std::shared_ptr<const std::string> file_;
  std::size_t nodes_ = 0;
  std::size_t depth_ = 0;
  bool exhausted_ = false;
};

template <class Visit>
void YamlNodes::each(const YAML::Node& node, const std::string& what, const Visit& visit) {
  if (!enter(node)) return;
  if (!node.IsMap()) {
    fail(node, "a mapping of " + what + " is wanted here");
  } else {
    std::set<std::string> seen;
    for (const auto& pair : node) {
      if (stopped()) break;
      if (!pair.first.IsScalar() || !plain_tag(pair.first)) {
        fail(pair.first, "a key must be plain text");
        continue;
      }
      const std::string& key = pair.first.Scalar();
      if (!seen.insert(key).second) {
        fail(pair.first, "duplicate key " + quote(key));
        continue;
      }
      visit(key, pair.first, pair.second);
    }
  }
  leave();
}

template <class Visit>
void YamlNodes::each_in_order(const YAML::Node& node, const std::string& what, const Visit& visit) {
  if (!node.IsSequence()) return each(node, what, visit);
  items(node, [&](const YAML::Node& item) { each(item, what, visit); });
}

template <class Visit>
void YamlNodes::items(const YAML::Node& node, const Visit& visit) {
  if (!enter(node)) return;
  if (!node.IsSequence()) {
    visit(node);
  } else {
    for (const auto& item : node) {
      if (stopped()) break;
      visit(item);
    }
  }
  leave();
}

}  // namespace weir::config
