#include "config/yaml_nodes.h"

#include "config/yaml_values.h"

namespace weir::config {

std::shared_ptr<const std::string> YamlNodes::set_file(std::shared_ptr<const std::string> file) {
  std::swap(file_, file);
  return file;
}

bool YamlNodes::enter(const YAML::Node& node) {
  if (!count(node)) return false;
  if (depth_ == kMaxDepth) {
    exhausted_ = true;
    fail(node, "too many levels");
    return false;
  }
  if (!plain_tag(node)) {
    fail(node, "tags are not supported; remove " + quote(node.Tag()));
    return false;
  }
  ++depth_;
  return true;
}

bool YamlNodes::count(const YAML::Node& node) {
  if (exhausted_) return false;
  exhausted_ = ++nodes_ > kMaxNodes;
  if (exhausted_) fail(node, "too many nodes; are there aliases of aliases?");
  return !exhausted_;
}

bool YamlNodes::plain_tag(const YAML::Node& node) {
  const auto& tag = node.Tag();
  return tag.empty() || tag == "?" || tag == "!" || tag.starts_with("tag:yaml.org,2002:");
}

std::string YamlNodes::text(const YAML::Node& node) {
  if (!count(node)) return {};
  if (node.IsScalar()) return node.Scalar();
  if (!node.IsNull()) fail(node, "plain text is wanted here");
  return {};
}

std::optional<bool> YamlNodes::flag(const YAML::Node& node) {
  const std::string word = text(node);
  if (is_true(word)) return true;
  if (word == "false" || word == "off") return false;
  fail(node, "invalid value " + quote(word) + "; use true or false");
  return std::nullopt;
}

Argument YamlNodes::argument(const YAML::Node& at, std::string text) const {
  return {std::move(text), position(at.Mark()), true};
}

Directive& YamlNodes::add(std::string name, const YAML::Node& at, Block& out) const {
  Directive& directive = out.emplace_back();
  directive.name = std::move(name);
  directive.position = position(at.Mark());
  return directive;
}

Position YamlNodes::position(const YAML::Mark& mark) const {
  if (mark.is_null()) return {file_, 0, 0};
  return {file_, static_cast<std::uint32_t>(mark.line + 1),
          static_cast<std::uint32_t>(mark.column + 1)};
}

void YamlNodes::fail(const YAML::Node& at, const std::string& message) {
  diagnostics_.error(position(at.Mark()), message);
}

}  // namespace weir::config
