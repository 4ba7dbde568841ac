#include "config/yaml_writer.h"

#include <algorithm>
#include <map>
#include <set>

#include "config/condition.h"
#include "config/directives.h"
#include "config/suggest.h"
#include "config/yaml_form.h"
#include "config/yaml_text.h"
#include "config/yaml_values.h"

namespace weir::config {
namespace {

// The directives of a block that share a key of YAML.
struct Group {
  std::string key;
  const DirectiveInfo* row = nullptr;  // null: directives of `list`
  const OrderedList* list = nullptr;
  Directives directives;
};

class Writer {
 public:
  explicit Writer(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  YamlValue document(const Block& tree, Dialect dialect) {
    YamlValue root = YamlValue::mapping();
    const bool told = std::any_of(tree.begin(), tree.end(), [](const Directive& directive) {
      return directive.name == "defaults";
    });
    if (dialect == Dialect::nginx && !told) root.add("defaults", YamlValue::of("nginx"));
    contents(flattened(tree), in_main | in_http, root);
    return root;
  }

 private:
  // With the directives of `http` in its place, unless one of them is said outside as well, or
  // would be taken there as one of the main context.
  static Directives flattened(const Block& tree) {
    std::set<std::string_view> outside;
    for (const auto& directive : tree) outside.insert(directive.name);
    Directives out;
    for (const auto& directive : tree) {
      const bool apart =
          directive.name != "http" ||
          std::any_of(directive.block.begin(), directive.block.end(), [&](const Directive& inner) {
            const auto* row = find_directive(inner.name, in_http);
            if (row == nullptr) return false;
            return (row->contexts & in_main) != 0 ||
                   (!row->has(kRepeats) && outside.contains(inner.name));
          });
      if (apart) {
        out.push_back(&directive);
      } else {
        for (const auto& inner : directive.block) out.push_back(&inner);
      }
    }
    return out;
  }

  static Directives all_of(const Block& block) {
    Directives out;
    for (const auto& directive : block) out.push_back(&directive);
    return out;
  }

  // ---- blocks ----

  YamlValue block(const Directive& directive, std::uint32_t contexts) {
    YamlValue mapping = YamlValue::mapping();
    contents(all_of(directive.block), contexts, mapping);
    return mapping;
  }

  // Adds the directives of a block to `mapping`, keys in the order in which they come first.
  void contents(const Directives& directives, std::uint32_t contexts, YamlValue& mapping) {
    std::vector<Group> groups;
    std::map<std::string, std::size_t> known;
    for (const auto* directive : directives) {
      if (diagnostics_.full()) return;
      const auto* row = check(*directive, contexts);
      if (row == nullptr) continue;
      const auto* list = ordered_list_of(*row);
      const auto name = list != nullptr          ? list->key
                        : row->yaml_name.empty() ? row->name
                                                 : row->yaml_name;
      const auto [place, fresh] = known.emplace(std::string(name), groups.size());
      if (fresh) groups.push_back({std::string(name), list != nullptr ? nullptr : row, list, {}});
      if (!fresh && list == nullptr && !row->has(kRepeats)) {
        fail(*directive, "is duplicate");
      } else {
        groups[place->second].directives.push_back(directive);
      }
    }
    for (const auto& group : groups) {
      if (group.list != nullptr) {
        ordered(group, contexts, mapping);
      } else {
        mapping.add(group.key, value_of(*group.row, group.directives));
      }
    }
  }

  // The row of a directive that YAML can say; null after an error.
  const DirectiveInfo* check(const Directive& directive, std::uint32_t contexts) {
    const auto* row = find_directive(directive.name, contexts);
    if (row == nullptr) {
      diagnostics_.error(directive.position, unknown_directive(directive.name, contexts, false));
    } else if (directive.has_block ? !row->has(kBlock) && !row->has(kMayBlock) : row->has(kBlock)) {
      fail(directive, row->has(kBlock) ? "a block is missing" : "takes no block");
    } else if (row->has(kBlock) && directive.args.size() < row->min_args) {
      fail(directive, "an argument is missing");
    } else if (check_text(directive)) {
      return row;
    }
    return nullptr;
  }

  bool check_text(const Directive& directive) {
    const bool ok = is_utf8(directive.name) &&
                    std::all_of(directive.args.begin(), directive.args.end(),
                                [](const Argument& argument) { return is_utf8(argument.text); });
    if (!ok) fail(directive, "YAML holds UTF-8 only; write it in UTF-8");
    return ok;
  }

  // Arguments by name, and the block among them.
  YamlValue with_block(const DirectiveInfo& row, const Directive& directive) {
    auto value = directive.args.empty() ? YamlValue::mapping() : yaml_form(row, {&directive});
    if (value.kind != YamlValue::Kind::mapping) {
      fail(directive, "YAML has no names for arguments like these");
      return value;
    }
    value.flow = false;
    value.add(std::string(row.entries), block(directive, row.inner));
    return value;
  }

  // Of several, an item each.
  YamlValue some_with_blocks(const DirectiveInfo& row, const Directives& directives) {
    if (directives.size() == 1) return with_block(row, *directives.front());
    YamlValue sequence = YamlValue::sequence();
    for (const auto* directive : directives) {
      auto value = directive->has_block ? with_block(row, *directive) : yaml_form(row, {directive});
      const bool nested = value.kind == YamlValue::Kind::sequence && value.items.size() == 1;
      sequence.items.push_back(nested ? std::move(value.items[0]) : std::move(value));
    }
    return sequence;
  }

  YamlValue value_of(const DirectiveInfo& row, const Directives& directives) {
    const bool blocks = std::any_of(directives.begin(), directives.end(),
                                    [](const auto* directive) { return directive->has_block; });
    if (row.has(kMayBlock) && blocks) return some_with_blocks(row, directives);
    if (!row.has(kBlock) && row.name == "log_format") return log_formats(directives);
    if (!row.has(kBlock)) return yaml_form(row, directives);
    if (row.has(kEntries) && row.yaml_name.empty()) return entries(row, directives);
    if (row.has(kNamed)) return named(row, directives);
    YamlValue sequence = YamlValue::sequence();
    for (const auto* directive : directives) {
      sequence.items.push_back(one_block(row, *directive));
    }
    const bool alone = row.yaml_name.empty() && sequence.items.size() == 1;
    return alone ? std::move(sequence.items[0]) : sequence;
  }

  YamlValue one_block(const DirectiveInfo& row, const Directive& directive) {
    if (row.has(kEntries)) return entry_block(row, directive, directive.args.size());
    YamlValue mapping = YamlValue::mapping();
    if (row.name == "location") {
      location_head(directive, mapping);
    } else if (row.has(kOrdered) && row.max_args > 0) {
      condition(directive, mapping);
    } else {
      block_arguments(row, directive, directive.args.size(), mapping);
    }
    contents(all_of(directive.block), row.inner, mapping);
    return mapping;
  }

  void location_head(const Directive& directive, YamlValue& mapping) {
    auto args = texts_of(directive.args);
    if (args.size() == 1) args = location_words(args[0]);
    if (args.size() != 2 && args.size() != 1) return fail(directive, "takes 1 or 2 arguments");
    const std::string text = args.size() == 1 ? args[0] : args[0] + " " + args[1];
    if (split_location(text) == args) {
      mapping.add("path", YamlValue::of(text));
      return;
    }
    const auto match = location_match(args.size() == 1 ? "" : args[0]);
    if (match.empty()) return fail(directive, "invalid modifier " + quote(args[0]));
    mapping.add("path", YamlValue::of(args.back()));
    mapping.add("match", YamlValue::of(std::string(match)));
  }

  void condition(const Directive& directive, YamlValue& mapping) {
    const auto text = condition_text(directive.args);
    if (!text) return fail(directive, "the condition must stand in parentheses");
    mapping.add("condition", YamlValue::of(*text));
  }

  // The first `count` arguments under the names that the row gives them.
  void block_arguments(const DirectiveInfo& row, const Directive& directive, std::size_t count,
                       YamlValue& mapping) {
    const auto names = split_words(row.positional);
    const auto args = texts_of(directive.args);
    for (std::size_t i = 0; i < count && i < names.size(); ++i) {
      const bool rest = i + 1 == names.size() && row.max_args != names.size() && !row.has(kNamed);
      if (rest) {
        const auto from = args.begin() + static_cast<std::ptrdiff_t>(i);
        mapping.add(std::string(names[i]), yaml_words({from, args.end()}));
        return;
      }
      mapping.add(std::string(names[i]), YamlValue::of(args[i]));
    }
    if (count > names.size()) fail(directive, "YAML has no names for the arguments of this block");
  }

  // ---- rules, access ----

  // A lone directive needs no list.
  void ordered(const Group& group, std::uint32_t contexts, YamlValue& mapping) {
    const auto& first = *group.directives.front();
    const auto* row = find_directive(first.name, contexts);
    const bool same =
        std::all_of(group.directives.begin(), group.directives.end(),
                    [&](const Directive* other) { return other->name == first.name; });
    if (same && !row->has(kBlock) && (group.directives.size() == 1 || !row->several_args())) {
      mapping.add(first.name, yaml_form(*row, group.directives));
      return;
    }
    YamlValue list = YamlValue::sequence();
    for (const auto* directive : group.directives) {
      row = find_directive(directive->name, contexts);
      if (row->max_args == 0 && directive->args.empty()) {
        list.items.push_back(YamlValue::of(directive->name));
        continue;
      }
      YamlValue item = YamlValue::mapping();
      item.add(directive->name, value_of(*row, {directive}));
      list.items.push_back(std::move(item));
    }
    mapping.add(group.key, std::move(list));
  }

  // ---- collections ----

  YamlValue named(const DirectiveInfo& row, const Directives& directives) {
    YamlValue all = YamlValue::mapping();
    for (const auto* directive : directives) {
      const auto& args = directive->args;
      if (!row.has(kEntries) && args.size() != 1) {
        fail(*directive, "takes one name");
      } else if (row.has(kEntries)) {
        const auto name = variable_key(args.back().text);
        if (name.empty()) fail(*directive, "the name of a variable must begin with $");
        all.add(name, entry_block(row, *directive, args.size() - 1));
      } else {
        all.add(args[0].text, block(*directive, row.inner));
      }
    }
    return yaml_in_order(std::move(all));
  }

  // "$name" is written "name"; "" if it is none.
  static std::string variable_key(std::string_view variable) {
    if (!variable.starts_with('$')) return {};
    const bool bare = variable.size() > 1 && variable[1] != '$';
    return std::string(bare ? variable.substr(1) : variable);
  }

  YamlValue log_formats(const Directives& directives) {
    YamlValue all = YamlValue::mapping();
    for (const auto* directive : directives) {
      auto args = texts_of(directive->args);
      if (args.empty()) {
        fail(*directive, "takes a name");
        continue;
      }
      const std::string name = args[0];
      args.erase(args.begin());
      const bool escape = !args.empty() && args[0].starts_with("escape=");
      YamlValue value = YamlValue::mapping();
      if (escape) {
        value.add("escape", YamlValue::of(args[0].substr(7)));
        args.erase(args.begin());
      }
      auto format = args.size() == 1 ? YamlValue::of(args[0]) : YamlValue::list(args);
      value.add("format", format);
      all.add(name, escape ? std::move(value) : std::move(format));
    }
    return yaml_in_order(std::move(all));
  }

  // ---- entries ----

  // `count` of the arguments have a key of their own in it.
  YamlValue entry_block(const DirectiveInfo& row, const Directive& directive, std::size_t count) {
    YamlValue mapping = YamlValue::mapping();
    block_arguments(row, directive, count, mapping);
    // Words that hold for the whole block stand before its entries, wherever they were.
    for (const bool first : {true, false}) {
      YamlValue values = YamlValue::mapping();
      for (const auto& entry : directive.block) {
        const auto* word = entry_word(row, entry);
        const bool whole = word != nullptr && (word->max_args == 0 || word->name == "default");
        if (whole != first || !check_text(entry)) continue;
        if (word == nullptr) {
          entry_value(row, entry, values);
          continue;
        }
        flush(std::string(row.entries), values, mapping);
        const bool again =
            std::find(mapping.keys.begin(), mapping.keys.end(), entry.name) != mapping.keys.end();
        if (whole && again && word->max_args == 0) continue;  // said twice
        mapping.add(entry.name, entry.args.empty() ? YamlValue::of_flag(true)
                                                   : YamlValue::of(entry.args[0].text));
      }
      flush(std::string(row.entries), values, mapping);
    }
    return yaml_in_order(std::move(mapping));
  }

  static void flush(const std::string& key, YamlValue& values, YamlValue& mapping) {
    if (values.keys.empty()) return;
    mapping.add(key, yaml_in_order(std::move(values)));
    values = YamlValue::mapping();
  }

  // `default x`, `hostnames`: the row of a directive among the entries; null for an entry.
  static const DirectiveInfo* entry_word(const DirectiveInfo& row, const Directive& entry) {
    const auto* word = find_directive(entry.name, row.inner);
    const bool fits = word != nullptr && !entry.has_block && entry.args.size() == word->max_args;
    return fits ? word : nullptr;
  }

  void entry_value(const DirectiveInfo& row, const Directive& entry, YamlValue& values) {
    if (entry.has_block) return fail(entry, "takes no block");
    if (entry.args.size() != 1) return fail(entry, "an entry is KEY VALUE;");
    // The reader puts the backslash back.
    const bool guarded = entry.name.starts_with('\\');
    const std::string bare = guarded ? entry.name.substr(1) : entry.name;
    values.add(guarded && entry_name(row, bare) == entry.name ? bare : entry.name,
               YamlValue::of(entry.args[0].text));
  }

  // Blocks of entries without arguments add up: `types`.
  YamlValue entries(const DirectiveInfo& row, const Directives& directives) {
    YamlValue all = YamlValue::mapping();
    std::vector<std::pair<std::string, std::vector<std::string>>> list;
    std::set<std::string> words;
    bool unique = row.inner == in_types;
    for (const auto* directive : directives) {
      for (const auto& entry : directive->block) {
        if (!check_text(entry)) continue;
        if (entry.has_block) {
          fail(entry, "takes no block");
          continue;
        }
        list.emplace_back(entry.name, texts_of(entry.args));
        for (const auto& word : list.back().second) unique = words.insert(word).second && unique;
      }
    }
    if (unique) merge(list);
    for (const auto& [name, args] : list) all.add(name, yaml_words(args));
    return yaml_in_order(std::move(all));
  }

  // Types with the same name become one; no extension is told twice, so their order is free.
  static void merge(std::vector<std::pair<std::string, std::vector<std::string>>>& list) {
    std::map<std::string, std::size_t> known;
    std::vector<std::pair<std::string, std::vector<std::string>>> merged;
    for (auto& [name, words] : list) {
      const auto [place, fresh] = known.emplace(name, merged.size());
      if (fresh) merged.emplace_back(name, std::vector<std::string>{});
      auto& all = merged[place->second].second;
      all.insert(all.end(), words.begin(), words.end());
    }
    list = std::move(merged);
  }

  void fail(const Directive& directive, const std::string& message) {
    diagnostics_.error(directive.position, directive.name + ": " + message);
  }

  Diagnostics& diagnostics_;
};

}  // namespace

std::string write_yaml(const Block& tree, Dialect dialect, Diagnostics& diagnostics) {
  return yaml_text(Writer(diagnostics).document(tree, dialect));
}

}  // namespace weir::config
