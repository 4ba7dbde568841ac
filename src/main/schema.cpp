#include "main/schema.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "config/directives.h"
#include "config/yaml_values.h"

namespace weir::main {
namespace {

namespace json = boost::json;
using config::DirectiveInfo;

// ---- small schemas ----

json::object reference(std::string_view name) { return {{"$ref", "#/$defs/" + std::string(name)}}; }

// A scalar: YAML's numbers and truth values are text to a directive.
json::object text() { return reference("text"); }
// The same, or nothing: an empty argument.
json::object word() { return reference("word"); }

json::object array_of(json::value item, std::size_t least = 0, std::size_t most = config::kMany) {
  json::object out{{"type", "array"}, {"items", std::move(item)}};
  if (least > 0) out["minItems"] = least;
  if (most != config::kMany) out["maxItems"] = most;
  return out;
}

json::object any_of(std::vector<json::value> forms) {
  if (forms.size() == 1) return forms[0].as_object();
  return {{"anyOf", json::array(forms.begin(), forms.end())}};
}

json::object one_or_list(const json::object& item) { return any_of({item, array_of(item)}); }

json::object text_or_list() { return reference("texts"); }

// A mapping whose keys are names that the configuration gives; or a sequence of such mappings.
json::object names(const json::object& value) {
  return one_or_list({{"type", "object"}, {"additionalProperties", value}});
}

json::object mapping(json::object properties, std::vector<std::string> required = {}) {
  json::object out{
      {"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
  if (!required.empty()) out["required"] = json::array(required.begin(), required.end());
  return out;
}

std::string definition_name(std::uint32_t contexts) {
  std::string name = config::context_names(contexts);
  std::erase_if(name, [](char c) { return c == '(' || c == ')'; });
  std::replace(name.begin(), name.end(), ' ', '_');
  std::erase(name, ',');
  return name;
}

std::string description(const DirectiveInfo& row) {
  std::string out(row.help);
  if (row.support == config::Support::accepted) return "without effect: " + out;
  if (!row.default_text.empty()) out += ". Default: " + std::string(row.default_text);
  return out;
}

// ---- a directive without a block, by the rules of YamlArguments ----

json::object flag_value(bool or_nothing = false) {
  json::array values{true, false, "on", "off"};
  if (or_nothing) values.push_back(nullptr);
  return {{"enum", values}};
}

// {address: a, weight: 3}. `first`: the first argument is given elsewhere.
std::optional<json::object> parameters(const DirectiveInfo& row, bool first) {
  json::object properties;
  const auto positional = config::split_words(row.positional);
  const auto words = config::split_words(row.parameters);
  if (positional.empty() && words.empty()) return std::nullopt;
  std::vector<std::string> required;
  for (std::size_t i = first ? 1 : 0; i < positional.size(); ++i) {
    auto rest = positional[i];
    const bool alternatives = rest.find('|') != std::string_view::npos;
    if (i == 0 && row.min_args > 0 && !row.has(config::kRest) && !alternatives) {
      required.emplace_back(rest);
    }
    while (!rest.empty()) {
      const auto end = std::min(rest.find('|'), rest.size());
      properties[rest.substr(0, end)] = text_or_list();
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  for (const auto word : words) {
    if (word.front() == '!') continue;
    const auto equals = word.find('=');
    const bool is_flag = equals == std::string_view::npos;
    properties[word.substr(0, equals)] = is_flag ? flag_value() : text_or_list();
  }
  return mapping(std::move(properties), std::move(required));
}

json::object pair_value(const DirectiveInfo& row) {
  if (row.has(config::kSplitPairs)) return text_or_list();
  auto named = parameters(row, true);
  if (!named) return word();
  return any_of({word(), std::move(*named)});
}

// Words that a scalar may be: editors offer them, and others are not refused by the schema.
json::object scalar(const DirectiveInfo& row) {
  if (row.has(config::kFlag)) return flag_value();
  if (row.max_args == 0) return flag_value(true);
  json::array offered;
  for (const auto word : config::split_words(row.parameters)) {
    const bool plain = word.find_first_of("!=~*") == std::string_view::npos;
    if (plain && row.positional.empty()) offered.emplace_back(word);
  }
  auto out = text();
  if (!offered.empty()) out["examples"] = std::move(offered);
  return out;
}

json::object directive_value(const DirectiveInfo& row) {
  std::vector<json::value> forms{scalar(row)};
  auto named = row.has(config::kPairs)
                   ? json::object{{"type", "object"}, {"additionalProperties", pair_value(row)}}
                   : parameters(row, false).value_or(json::object{});
  if (row.has(config::kMayBlock)) {
    named["properties"].as_object()[row.entries] = reference(definition_name(row.inner));
  }
  if (!named.empty()) forms.emplace_back(std::move(named));
  const std::size_t most = row.has(config::kRepeats) ? std::size_t{config::kMany} : row.max_args;
  const auto arguments = array_of(word(), row.min_args, row.max_args);
  if (config::sequence_is_arguments(row)) {
    forms.emplace_back(array_of(word(), row.min_args, most));
    forms.emplace_back(array_of(arguments, 1));
  } else if (row.has(config::kRepeats)) {
    auto item = forms;
    item.emplace_back(arguments);
    forms.emplace_back(array_of(any_of(std::move(item))));
  } else {
    forms.emplace_back(array_of(arguments, 1, 1));
  }
  return any_of(std::move(forms));
}

// ---- blocks, by the rules of the reader ----

class Schema {
 public:
  json::object make() {
    auto root = block(config::in_main | config::in_http);
    json::object out{
        {"$schema", "https://json-schema.org/draft/2020-12/schema"},
        {"title", "weir, configuration in YAML"},
        {"description", "Made by `weir schema`. Values are checked in full by `weir -t`."}};
    out.insert(root.begin(), root.end());
    out["type"] = json::array{"object", "null"};
    // Blocks are made as they are met, and what is met in them.
    for (auto next = wanted_.begin(); next != wanted_.end(); next = wanted_.begin()) {
      const auto contexts = *next;
      wanted_.erase(next);
      made_.insert(contexts);
      definitions_[definition_name(contexts)] = block(contexts);
    }
    definitions_["text"] = json::object{{"type", json::array{"string", "number", "boolean"}}};
    definitions_["word"] =
        json::object{{"type", json::array{"string", "number", "boolean", "null"}}};
    definitions_["texts"] = any_of({word(), array_of(word())});
    out["$defs"] = std::move(definitions_);
    return out;
  }

 private:
  json::object block_reference(std::uint32_t contexts) {
    if (!made_.contains(contexts)) wanted_.insert(contexts);
    return reference(definition_name(contexts));
  }

  // All that may stand in one of the contexts, and the keys of `extra`.
  json::object block(std::uint32_t contexts, json::object extra = {},
                     std::vector<std::string> required = {}) {
    json::object properties = std::move(extra);
    properties["include"] = json::object{{"$ref", "#/$defs/text"},
                                         {"description", "another file, or a pattern of files"}};
    for (const auto& list : config::kOrderedLists) {
      if (config::find_ordered_list(list.key, contexts) != nullptr) {
        properties[list.key] = array_of(ordered_item(list, contexts));
      }
    }
    for (const auto& row : config::directive_table()) {
      if ((row.contexts & contexts) == 0) continue;
      const auto key = row.yaml_name.empty() ? row.name : row.yaml_name;
      if (properties.contains(key)) continue;
      auto value = row.yaml_name.empty() ? directive(row) : collection(row);
      value["description"] = description(row);
      if (row.support == config::Support::accepted) value["deprecated"] = true;
      properties[key] = std::move(value);
    }
    return mapping(std::move(properties), std::move(required));
  }

  // A name alone, or a mapping of one directive.
  json::object ordered_item(const config::OrderedList& list, std::uint32_t contexts) {
    json::object properties;
    json::array bare;
    for (const auto& row : config::directive_table()) {
      if ((row.contexts & contexts) == 0 || !row.has(list.flag)) continue;
      properties[row.name] = directive(row);
      if (row.min_args == 0) bare.emplace_back(row.name);
    }
    auto item = mapping(std::move(properties));
    item["minProperties"] = 1;
    item["maxProperties"] = 1;
    if (bare.empty()) return item;
    return any_of({json::object{{"enum", bare}}, std::move(item)});
  }

  json::object directive(const DirectiveInfo& row) {
    if (row.has(config::kMayBlock)) static_cast<void>(block_reference(row.inner));
    if (!row.has(config::kBlock)) return directive_value(row);
    if (row.has(config::kEntries)) return names(text_or_list());
    auto one = block_with_arguments(row);
    return row.has(config::kRepeats) ? one_or_list(one) : one;
  }

  json::object block_with_arguments(const DirectiveInfo& row) {
    json::object extra;
    std::vector<std::string> required;
    if (row.has(config::kOrdered)) {
      extra["condition"] = text();
      required.emplace_back("condition");
    } else if (row.max_args > 0) {
      for (const auto name : config::split_words(row.positional)) {
        extra[name] = text_or_list();
        if (required.size() < row.min_args) required.emplace_back(name);
      }
    }
    if (extra.empty()) return block_reference(row.inner);
    return block(row.inner, std::move(extra), std::move(required));
  }

  json::object collection(const DirectiveInfo& row) {
    if (row.has(config::kEntries)) {
      const auto one = entry_block(row);
      return row.has(config::kNamed) ? names(one) : one_or_list(one);
    }
    if (row.has(config::kNamed)) return names(block_reference(row.inner));
    if (row.name == "log_format") {
      auto format = mapping({{"format", text_or_list()}, {"escape", text()}}, {"format"});
      return names(any_of({text_or_list(), std::move(format)}));
    }
    if (row.name == "location") {
      if (!definitions_.contains("location")) {
        definitions_["location"] = nullptr;  // locations have locations
        definitions_["location"] =
            block(row.inner, {{"path", text()}, {"match", match_words()}}, {"path"});
      }
      return one_or_list(reference("location"));
    }
    if (row.has(config::kBlock)) return one_or_list(block_with_arguments(row));
    return directive_value(row);
  }

  static json::object match_words() {
    return {{"enum", json::array{"prefix", "exact", "regex", "regex_nocase", "prefix_no_regex"}}};
  }

  // {source: ..., default: ..., values: {...}}
  json::object entry_block(const DirectiveInfo& row) {
    json::object properties{{"include", text()}, {row.entries, names(text_or_list())}};
    std::vector<std::string> required;
    const std::size_t least = row.min_args - (row.has(config::kNamed) ? 1u : 0u);
    for (const auto name : config::split_words(row.positional)) {
      properties[name] = text();
      if (required.size() < least) required.emplace_back(name);
    }
    for (const auto& word : config::directive_table()) {
      if ((word.contexts & row.inner) == 0) continue;
      properties[word.name] = word.max_args == 0 ? flag_value() : text_or_list();
    }
    return any_of({mapping(properties, std::move(required)), array_of(mapping(properties))});
  }

  json::object definitions_;
  std::set<std::uint32_t> wanted_;
  std::set<std::uint32_t> made_;
};

// One key a line, for people who look into it.
void print(const json::value& value, std::size_t depth, std::string& out) {
  const auto line = [&](std::size_t at) { out.append("\n").append(2 * at, ' '); };
  if (const auto* object = value.if_object(); object != nullptr && object->size() > 1) {
    out += '{';
    bool first = true;
    for (const auto& [key, member] : *object) {
      if (!first) out += ',';
      first = false;
      line(depth + 1);
      out += json::serialize(json::value(key)) + ": ";
      print(member, depth + 1, out);
    }
    line(depth);
    out += '}';
  } else if (object != nullptr && object->size() == 1) {
    out += "{" + json::serialize(json::value(object->begin()->key())) + ": ";
    print(object->begin()->value(), depth, out);
    out += '}';
  } else {
    out += json::serialize(value);
  }
}

}  // namespace

std::string configuration_schema() {
  std::string out;
  print(Schema().make(), 0, out);
  return out + "\n";
}

}  // namespace weir::main
