#include "config/yaml_parser.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>
#include <set>

#include "config/condition.h"
#include "config/directives.h"
#include "config/nginx_parser.h"
#include "config/suggest.h"
#include "config/yaml_arguments.h"
#include "config/yaml_document.h"
#include "config/yaml_nodes.h"
#include "config/yaml_values.h"

namespace weir::config {
namespace {

// A block being read: what may stand in it, and where it goes.
struct Level {
  std::uint32_t contexts = 0;
  Block& out;
  // Of each list whose order counts, the first key that belongs to it, be it in another file.
  std::map<std::string_view, std::string> ordered = {};
  const DirectiveInfo* entries = nullptr;  // the row of a block that holds entries
};

class Reader {
 public:
  Reader(Sources& sources, Diagnostics& diagnostics)
      : sources_(sources), diagnostics_(diagnostics), nodes_(diagnostics), arguments_(nodes_) {}

  void file(const std::shared_ptr<const std::string>& name, const std::string& text, Level& level) {
    const auto outer = nodes_.set_file(name);
    open_.push_back(*name);
    try {
      const auto root = load_document(text);
      if (root.IsDefined() && !root.IsNull()) {
        level.entries != nullptr ? entries(*level.entries, root, level.out) : mapping(root, level);
      }
    } catch (const YAML::Exception& error) {
      diagnostics_.error(nodes_.position(error.mark), error.msg);
    }
    open_.pop_back();
    nodes_.set_file(outer);
  }

 private:
  // ---- mappings of directives ----

  using Skip = std::set<std::string, std::less<>>;

  void mapping(const YAML::Node& node, Level& level, const Skip& skip = {}) {
    nodes_.each(node, "directives",
                [&](const std::string& key, const YAML::Node& at, const YAML::Node& value) {
                  if (!skip.contains(key)) entry(key, at, value, level);
                });
  }

  void block(const YAML::Node& node, std::uint32_t contexts, Directive& directive,
             const Skip& skip = {}) {
    directive.has_block = true;
    Level level{contexts, directive.block};
    mapping(node, level, skip);
  }

  void entry(const std::string& key, const YAML::Node& at, const YAML::Node& value, Level& level) {
    if (key == "include") return include(value, level);
    if (const auto* list = find_ordered_list(key, level.contexts)) {
      if (order_is_told(*list, key, at, level)) ordered(*list, value, level);
      return;
    }
    if (const auto* row = find_collection(key, level.contexts)) {
      return collection(*row, at, value, level.out);
    }
    const auto* row = find_directive(key, level.contexts);
    if (row == nullptr || !row->yaml_name.empty()) {
      return nodes_.fail(at, unknown_directive(key, level.contexts, true));
    }
    const auto* list = ordered_list_of(*row);
    if (list != nullptr && !order_is_told(*list, key, at, level)) return;
    directive(*row, at, value, level.out);
  }

  void directive(const DirectiveInfo& row, const YAML::Node& at, const YAML::Node& value,
                 Block& out) {
    const auto with_block = [&](const YAML::Node& node) {
      return row.has(kMayBlock) && node.IsMap() && find(node, row.entries).IsMap();
    };
    if (with_block(value)) {
      directive_with_block(row, at, value, out);
    } else if (value.IsSequence() && std::any_of(value.begin(), value.end(), with_block)) {
      for (const auto& item : value) {
        YAML::Node alone(YAML::NodeType::Sequence);
        alone.push_back(item);
        with_block(item) ? directive_with_block(row, item, item, out)
                         : arguments_.read(row, item, alone, out);
      }
    } else if (!row.has(kBlock)) {
      arguments_.read(row, at, value, out);
    } else if (row.has(kEntries)) {
      Directive& made = nodes_.add(std::string(row.name), at, out);
      made.has_block = true;
      entries(row, value, made.block);
    } else if (row.has(kRepeats)) {
      nodes_.items(value,
                   [&](const YAML::Node& item) { block_with_arguments(row, item, item, out); });
    } else {
      block_with_arguments(row, at, value, out);
    }
  }

  // {uri: /h, match: {status: 200}}: arguments, and a block among them.
  void directive_with_block(const DirectiveInfo& row, const YAML::Node& at, const YAML::Node& value,
                            Block& out) {
    YAML::Node rest(YAML::NodeType::Map);
    std::optional<YAML::Node> inner;
    for (const auto& pair : value) {
      const bool is_block = pair.first.IsScalar() && pair.first.Scalar() == row.entries && !inner;
      is_block ? void(inner.emplace(pair.second)) : rest.force_insert(pair.first, pair.second);
    }
    const auto before = out.size();
    arguments_.read(row, at, rest, out);
    if (out.size() > before) block(*inner, row.inner, out.back());
  }

  void include(const YAML::Node& value, Level& level) {
    if (!nodes_.enter(value)) return;
    nodes_.leave();
    if (!value.IsScalar()) {
      return nodes_.fail(value, "include: one name of a file or pattern is wanted");
    }
    if (open_.size() > Sources::kMaxIncludeDepth) {
      return nodes_.fail(value, "include: files include each other too deeply");
    }
    for (const auto& path : sources_.expand(value.Scalar())) {
      std::string text;
      std::string error;
      if (std::find(open_.begin(), open_.end(), path) != open_.end()) {
        return nodes_.fail(value,
                           "include: " + quote(path) + " includes itself; remove one of the two");
      }
      if (!sources_.read(path, text, error)) {
        nodes_.fail(value, "include: cannot read " + quote(path) + ": " + error);
        continue;
      }
      const auto name = std::make_shared<const std::string>(path);
      is_yaml(text) ? file(name, text, level) : nginx_file(name, text, value, level);
    }
  }

  // A part of an nginx.conf: mime.types and the like.
  void nginx_file(const std::shared_ptr<const std::string>& name, const std::string& text,
                  const YAML::Node& at, Level& level) {
    const auto before = level.out.size();
    parse_nginx(name, text, sources_, diagnostics_, level.out);
    for (const auto& list : kOrderedLists) {
      const bool has = std::any_of(level.out.begin() + static_cast<std::ptrdiff_t>(before),
                                   level.out.end(), [&](const Directive& directive) {
                                     const auto* row =
                                         find_directive(directive.name, level.contexts);
                                     return row != nullptr && row->has(list.flag);
                                   });
      if (has) static_cast<void>(order_is_told(list, "include", at, level));
    }
  }

  // ---- directives whose order counts: rules, access ----

  // The keys of a mapping have no order, so the list is the only one of its kind, or one directive.
  bool order_is_told(const OrderedList& list, const std::string& key, const YAML::Node& at,
                     Level& level) {
    const auto [first, fresh] = level.ordered.emplace(list.key, key);
    if (fresh) return true;
    nodes_.fail(at, key + ": its order to " + quote(first->second) +
                        " is not told; make both items of " + quote(list.key));
    return false;
  }

  void ordered(const OrderedList& list, const YAML::Node& value, Level& level) {
    const std::string key(list.key);
    if (!value.IsSequence()) {
      return nodes_.fail(value, key + ": a sequence is wanted here, of one directive an item");
    }
    nodes_.items(value, [&](const YAML::Node& item) {
      if (item.IsScalar()) return ordered_item(list, item.Scalar(), item, nullptr, level);
      if (!item.IsMap() || item.size() != 1) {
        return nodes_.fail(item, key + ": an item is one directive; write \"- name: arguments\"");
      }
      nodes_.each(item, "directives",
                  [&](const std::string& name, const YAML::Node& at, const YAML::Node& arguments) {
                    ordered_item(list, name, at, &arguments, level);
                  });
    });
  }

  // `arguments`: null for an item that is a name alone.
  void ordered_item(const OrderedList& list, const std::string& name, const YAML::Node& at,
                    const YAML::Node* arguments, Level& level) {
    const auto* row = find_directive(name, level.contexts);
    if (row == nullptr) {
      nodes_.fail(at, unknown_directive(name, level.contexts, true));
    } else if (!row->has(list.flag)) {
      nodes_.fail(at, name + ": is no item of " + quote(list.key) + "; put it beside that list");
    } else if (arguments != nullptr) {
      directive(*row, at, *arguments, level.out);
    } else if (row->min_args > 0) {
      nodes_.fail(at, name + ": the value is missing");
    } else {
      nodes_.add(name, at, level.out);
    }
  }

  // ---- blocks with arguments: {condition: ..., ...}, {methods: ..., ...} ----

  void block_with_arguments(const DirectiveInfo& row, const YAML::Node& at, const YAML::Node& value,
                            Block& out) {
    Directive& directive = nodes_.add(std::string(row.name), at, out);
    Skip taken;
    if (row.max_args > 0 && value.IsMap()) {
      const bool ok = row.has(kOrdered) ? take_condition(value, directive, taken)
                                        : take_arguments(row, value, directive, taken);
      if (!ok) return;
    }
    block(value, row.inner, directive, taken);
  }

  static YAML::Node find(const YAML::Node& node, std::string_view key) {
    for (const auto& pair : node) {
      if (pair.first.IsScalar() && pair.first.Scalar() == key) return pair.second;
    }
    return YAML::Node(YAML::NodeType::Undefined);
  }

  bool take_condition(const YAML::Node& node, Directive& directive, Skip& taken) {
    const auto value = find(node, "condition");
    if (!value.IsDefined() || value.IsNull()) {
      nodes_.fail(node,
                  directive.name + ": condition is missing; write condition: $variable = text");
      return false;
    }
    taken.insert("condition");
    const auto error =
        split_condition(nodes_.text(value), nodes_.position(value.Mark()), directive.args);
    if (!error.empty()) nodes_.fail(value, directive.name + ": in the condition " + error);
    return error.empty();
  }

  // The last name takes all the further arguments, as a sequence or as words.
  bool take_arguments(const DirectiveInfo& row, const YAML::Node& node, Directive& directive,
                      Skip& taken) {
    const auto names = split_words(row.positional);
    for (const auto name : names) {
      const auto value = find(node, name);
      if (!value.IsDefined()) continue;
      taken.emplace(name);
      if (name != names.back() || row.max_args == names.size()) {
        directive.args.push_back(nodes_.argument(value, nodes_.text(value)));
      } else {
        argument_words(value, directive);
      }
    }
    if (directive.args.size() >= row.min_args) return true;
    nodes_.fail(node, directive.name + ": " + std::string(names.front()) + " is missing");
    return false;
  }

  void argument_words(const YAML::Node& value, Directive& directive) {
    if (!value.IsSequence()) {
      const auto text = nodes_.text(value);
      for (auto& word : split_at_most(text, text.size())) {
        directive.args.push_back(nodes_.argument(value, std::move(word)));
      }
      return;
    }
    nodes_.items(value, [&](const YAML::Node& item) {
      directive.args.push_back(nodes_.argument(item, nodes_.text(item)));
    });
  }

  // ---- collections: upstreams, servers, locations, maps ... ----

  void collection(const DirectiveInfo& row, const YAML::Node& at, const YAML::Node& value,
                  Block& out) {
    const auto named = [&](auto read) {
      nodes_.each_in_order(value, "names",
                           [&](const std::string& name, const YAML::Node& name_at,
                               const YAML::Node& content) { read(name, name_at, content); });
    };
    using Text = const std::string&;
    using Node = const YAML::Node&;
    if (row.has(kEntries) && row.has(kNamed)) {
      named([&](Text name, Node name_at, Node node) {
        const std::string variable = name.starts_with('$') ? name : "$" + name;
        entry_block(row, &variable, name_at, node, out);
      });
    } else if (row.has(kEntries)) {
      nodes_.items(value, [&](Node item) { entry_block(row, nullptr, item, item, out); });
    } else if (row.has(kNamed)) {
      named([&](Text name, Node name_at, Node node) {
        Directive& directive = nodes_.add(std::string(row.name), name_at, out);
        directive.args.push_back(nodes_.argument(name_at, name));
        block(node, row.inner, directive);
      });
    } else if (row.name == "log_format") {
      named([&](Text name, Node name_at, Node node) { log_format(row, name, name_at, node, out); });
    } else if (row.name == "location") {
      nodes_.items(value, [&](Node item) { location(row, item, out); });
    } else if (row.has(kBlock)) {
      nodes_.items(value, [&](Node item) { block_with_arguments(row, item, item, out); });
    } else {
      arguments_.read(row, at, value, out);
    }
  }

  void location(const DirectiveInfo& row, const YAML::Node& item, Block& out) {
    Directive& directive = nodes_.add(std::string(row.name), item, out);
    std::optional<std::string> path;
    std::string match;
    if (item.IsMap()) {  // what is wrong with its keys is told below
      const auto path_node = find(item, "path");
      if (path_node.IsDefined() && !path_node.IsNull()) path = nodes_.text(path_node);
      const auto match_node = find(item, "match");
      if (match_node.IsDefined()) match = nodes_.text(match_node);
    }
    if (!path) return nodes_.fail(item, "location: path is missing; write path: /");
    if (!match.empty()) {
      const auto modifier = location_modifier(match);
      if (!modifier) {
        return nodes_.fail(item, "location: unknown match " + quote(match) +
                                     "; use prefix, exact, regex, regex_nocase or prefix_no_regex");
      }
      if (!modifier->empty()) {
        directive.args.push_back(nodes_.argument(item, std::string(*modifier)));
      }
      directive.args.push_back(nodes_.argument(item, *path));
    } else {
      for (auto& word : split_location(*path)) {
        directive.args.push_back(nodes_.argument(item, std::move(word)));
      }
    }
    block(item, row.inner, directive, {"path", "match"});
  }

  // ---- blocks of entries: {source: ..., default: ..., values: {...}} ----

  // `name`: the last argument, if it is given as the key.
  void entry_block(const DirectiveInfo& row, const std::string* name, const YAML::Node& at,
                   const YAML::Node& node, Block& out) {
    Directive directive;
    directive.name = row.name;
    directive.position = nodes_.position(at.Mark());
    directive.has_block = true;
    const auto names = split_words(row.positional);
    std::vector<std::optional<Argument>> given(names.size());
    Block listed;  // behind the words, which say how they are read
    nodes_.each_in_order(
        node, std::string(row.entries) + " and the like",
        [&](const std::string& key, const YAML::Node& key_at, const YAML::Node& value) {
          const auto known = std::find(names.begin(), names.end(), key);
          if (known != names.end()) {
            auto& slot = given[static_cast<std::size_t>(known - names.begin())];
            if (slot) nodes_.fail(key_at, "duplicate key " + quote(key));
            slot = nodes_.argument(value, nodes_.text(value));
          } else if (key == row.entries) {
            entries(row, value, listed);
          } else if (key == "include") {
            include_entries(row, value, listed);
          } else if (const auto* word = find_directive(key, row.inner)) {
            entry_word(*word, key_at, value, word->max_args == 0 ? directive.block : listed);
          } else {
            unknown_entry_key(row, key, key_at);
          }
        });
    std::move(listed.begin(), listed.end(), std::back_inserter(directive.block));
    for (auto& argument : given) {
      if (argument) directive.args.push_back(std::move(*argument));
    }
    if (name != nullptr) directive.args.push_back(nodes_.argument(at, *name));
    if (directive.args.size() >= row.min_args) return out.push_back(std::move(directive));
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (given[i]) continue;
      const char* hint = names[i] == "source" ? "; write source: $http_NAME" : "";
      return nodes_.fail(at, directive.name + ": " + std::string(names[i]) + " is missing" + hint);
    }
  }

  void include_entries(const DirectiveInfo& row, const YAML::Node& value, Block& out) {
    Level level{row.inner, out};
    level.entries = &row;
    include(value, level);
  }

  // Keys and values. A text is one value, or as many as it has words where the block is nothing but
  // entries: `text/html: html htm`.
  void entries(const DirectiveInfo& row, const YAML::Node& value, Block& out) {
    const bool words = row.yaml_name.empty();
    nodes_.each_in_order(
        value, "keys and values",
        [&](const std::string& key, const YAML::Node& at, const YAML::Node& result) {
          if (words && key == "include") return include_entries(row, result, out);
          Directive& entry = nodes_.add(entry_name(row, key), at, out);
          if (words) return argument_words(result, entry);
          nodes_.items(result, [&](const YAML::Node& item) {
            entry.args.push_back(nodes_.argument(item, nodes_.text(item)));
          });
        });
  }

  // `default: x`, `hostnames: true`
  void entry_word(const DirectiveInfo& row, const YAML::Node& at, const YAML::Node& value,
                  Block& out) {
    if (row.max_args == 0) {
      if (nodes_.flag(value).value_or(false)) nodes_.add(std::string(row.name), at, out);
      return;
    }
    nodes_.items(value, [&](const YAML::Node& item) {
      Directive& entry = nodes_.add(std::string(row.name), at, out);
      entry.args.push_back(nodes_.argument(item, nodes_.text(item)));
    });
  }

  void unknown_entry_key(const DirectiveInfo& row, const std::string& key, const YAML::Node& at) {
    std::vector<std::string_view> known = split_words(row.positional);
    known.push_back(row.entries);
    known.push_back("include");
    for (const auto& word : directive_table()) {
      if ((word.contexts & row.inner) != 0) known.push_back(word.name);
    }
    nodes_.fail(at,
                std::string(row.name) + ": unknown key " + quote(key) + did_you_mean(key, known));
  }

  void log_format(const DirectiveInfo& row, const std::string& name, const YAML::Node& at,
                  const YAML::Node& node, Block& out) {
    Directive directive;
    directive.name = row.name;
    directive.position = nodes_.position(at.Mark());
    directive.args.push_back(nodes_.argument(at, name));
    YAML::Node format = node;
    if (node.IsMap()) {
      format.reset();
      nodes_.each(
          node, "format and escape",
          [&](const std::string& key, const YAML::Node& key_at, const YAML::Node& value) {
            if (key == "escape") {
              directive.args.push_back(nodes_.argument(value, "escape=" + nodes_.text(value)));
            } else if (key == "format") {
              format.reset(value);
            } else {
              nodes_.fail(key_at,
                          "log_format: unknown key " + quote(key) + "; use format and escape");
            }
          });
      if (!format.IsDefined() || format.IsNull()) {
        return nodes_.fail(at, "log_format: format is missing");
      }
    }
    nodes_.items(format, [&](const YAML::Node& item) {
      directive.args.push_back(nodes_.argument(item, nodes_.text(item)));
    });
    out.push_back(std::move(directive));
  }

  Sources& sources_;
  Diagnostics& diagnostics_;
  YamlNodes nodes_;
  YamlArguments arguments_;
  std::vector<std::string> open_;  // files from the main one to the one being read
};

}  // namespace

void parse_yaml(const std::shared_ptr<const std::string>& file, const std::string& text,
                Sources& sources, Diagnostics& diagnostics, Block& out) {
  Level top{in_main | in_http, out};
  Reader(sources, diagnostics).file(file, text, top);
}

}  // namespace weir::config
