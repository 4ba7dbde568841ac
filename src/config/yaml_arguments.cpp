#include "config/yaml_arguments.h"

#include <algorithm>

#include "config/yaml_values.h"

namespace weir::config {

void YamlArguments::read(const DirectiveInfo& row, const YAML::Node& at, const YAML::Node& value,
                         Block& out) {
  if (!nodes_.enter(value)) return;
  if (value.IsSequence()) {
    sequence(row, at, value, out);
  } else if (value.IsMap() && row.has(kPairs)) {
    pairs(row, value, out);
  } else if (value.IsMap()) {
    parameters(row, value, nullptr, nodes_.add(std::string(row.name), at, out));
  } else {
    scalar(row, at, value, out);
  }
  nodes_.leave();
}

void YamlArguments::sequence(const DirectiveInfo& row, const YAML::Node& at,
                             const YAML::Node& value, Block& out) {
  const bool nested =
      std::any_of(value.begin(), value.end(), [](const auto& item) { return item.IsSequence(); });
  if (!nested && sequence_is_arguments(row)) return arguments(row, at, value, out);
  if (!nested && !row.has(kRepeats)) {
    return nodes_.fail(at, std::string(row.name) + ": takes one value, not a sequence");
  }
  for (const auto& item : value) {
    if (nodes_.stopped()) return;
    if (item.IsSequence()) {
      arguments(row, item, item, out);
    } else if (sequence_is_arguments(row)) {
      nodes_.fail(item, std::string(row.name) + ": a sequence and plain text side by side");
    } else {
      read(row, item, item, out);
    }
  }
}

void YamlArguments::arguments(const DirectiveInfo& row, const YAML::Node& at,
                              const YAML::Node& list, Block& out) {
  Directive& directive = nodes_.add(std::string(row.name), at, out);
  for (const auto& item : list) {
    if (nodes_.stopped()) return;
    directive.args.push_back(nodes_.argument(item, nodes_.text(item)));
  }
}

// {Name: value} or {Name: {value: ..., always: true}}; {a b: c d}
void YamlArguments::pairs(const DirectiveInfo& row, const YAML::Node& value, Block& out) {
  nodes_.each(value, "names",
              [&](const std::string& name, const YAML::Node& at, const YAML::Node& content) {
                Directive& directive = nodes_.add(std::string(row.name), at, out);
                if (row.has(kSplitPairs)) {
                  words(at, name, directive);
                  return nodes_.items(content, [&](const YAML::Node& item) {
                    words(item, nodes_.text(item), directive);
                  });
                }
                const auto first = nodes_.argument(at, name);
                if (content.IsMap()) return parameters(row, content, &first, directive);
                directive.args.push_back(first);
                directive.args.push_back(nodes_.argument(content, nodes_.text(content)));
              });
}

void YamlArguments::words(const YAML::Node& at, const std::string& text, Directive& directive) {
  for (auto& word : split_at_most(text, text.size())) {
    directive.args.push_back(nodes_.argument(at, std::move(word)));
  }
}

// A mapping of named arguments and parameters. `first`: the first argument, if given elsewhere.
void YamlArguments::parameters(const DirectiveInfo& row, const YAML::Node& node,
                               const Argument* first, Directive& directive) {
  NamedArguments named(row);
  if (first != nullptr) named.set_first(*first);
  nodes_.each(node, "parameters",
              [&](const std::string& key, const YAML::Node& at, const YAML::Node& value) {
                std::vector<Argument> values;
                nodes_.items(value, [&](const YAML::Node& item) {
                  values.push_back(nodes_.argument(item, nodes_.text(item)));
                });
                const auto error = named.set(key, std::move(values), nodes_.position(at.Mark()));
                if (!error.empty()) nodes_.fail(at, std::string(row.name) + ": " + error);
              });
  const auto missing = named.finish(directive.args);
  if (!missing.empty()) nodes_.fail(node, std::string(row.name) + ": " + missing);
}

void YamlArguments::scalar(const DirectiveInfo& row, const YAML::Node& at, const YAML::Node& value,
                           Block& out) {
  const std::string text = nodes_.text(value);
  std::vector<std::string> words;
  if (row.has(kFlag)) {
    const auto on = nodes_.flag(value);
    if (!on) return;
    words = {*on ? "on" : "off"};
  } else if (row.max_args == 0) {
    if (!value.IsNull() && !nodes_.flag(value).value_or(false)) return;
  } else if (value.IsNull()) {
    return nodes_.fail(at, std::string(row.name) + ": the value is missing");
  } else if (means_absent(row, text)) {
    return;
  } else {
    words = scalar_arguments(row, text);
  }
  Directive& directive = nodes_.add(std::string(row.name), at, out);
  for (auto& word : words) directive.args.push_back(nodes_.argument(value, std::move(word)));
}

}  // namespace weir::config
