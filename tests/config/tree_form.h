// The form of a tree of directives that two files share when they say the same: without positions,
// without the order of directives that does not count, without the ways in which both syntaxes
// attach words to each other. Used by tests and by the fuzz target of the conversion.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/condition.h"
#include "config/directives.h"
#include "config/text.h"
#include "config/tree.h"
#include "config/yaml_values.h"

namespace weir::config::testing {

class TreeForm {
 public:
  // A line for each directive, indented.
  static std::string of(const Block& tree) {
    Block flat;
    for (const auto& directive : tree) {
      if (directive.name == "http") {
        flat.insert(flat.end(), directive.block.begin(), directive.block.end());
      } else if (directive.name != "defaults") {
        flat.push_back(directive);
      }
    }
    return block(flat, in_main | in_http, 0);
  }

 private:
  static std::string line(std::size_t depth, const std::string& name,
                          const std::vector<std::string>& args) {
    std::string out = std::string(2 * depth, ' ') + shown(name);
    for (const auto& arg : args) out += " [" + shown(arg) + "]";
    return out + "\n";
  }

  static std::string shown(const std::string& text) {
    std::string out;
    for (const char c : text) {
      if (c == '\n') {
        out += "\\n";
      } else if (c == '\\' || c == ']') {
        out += {'\\', c};
      } else {
        out += c;
      }
    }
    return out;
  }

  static std::vector<std::string> texts(const std::vector<Argument>& args) {
    std::vector<std::string> out;
    for (const auto& arg : args) out.push_back(arg.text);
    return out;
  }

  // Directives of different names in the order of their names, but for those whose order counts.
  static std::string block(const Block& tree, std::uint32_t contexts, std::size_t depth) {
    std::map<std::string, std::string> groups;
    std::map<std::string, std::vector<std::string>> lists;
    std::map<std::string, Block> entries;
    for (const auto& directive : tree) {
      const auto* row = find_directive(directive.name, contexts);
      if (row == nullptr) {
        groups[directive.name] += line(depth, "? " + directive.name, texts(directive.args));
      } else if (row->has(kList) && row->has(kRepeats)) {
        auto& list = lists[directive.name];
        for (const auto& arg : directive.args) list.push_back(arg.text);
      } else if (row->has(kEntries) && row->max_args == 0 && directive.has_block) {
        auto& all = entries[directive.name];
        all.insert(all.end(), directive.block.begin(), directive.block.end());
      } else {
        const auto* list = ordered_list_of(*row);
        groups[list != nullptr ? std::string(list->key) : directive.name] +=
            one(*row, directive, depth);
      }
    }
    for (const auto& [name, args] : lists) groups[name] = line(depth, name, args);
    for (const auto& [name, all] : entries) groups[name] = types(name, all, depth);
    std::string out;
    for (const auto& [name, text] : groups) out += text;
    return out;
  }

  static std::string one(const DirectiveInfo& row, const Directive& directive, std::size_t depth) {
    auto args = texts(directive.args);
    if (row.has(kFlag) && args.size() == 1) args[0] = lower(args[0]);
    if (row.name == "location" && args.size() == 1) args = location_words(args[0]);
    if (row.has(kOrdered) && row.has(kBlock)) {
      if (const auto words = condition_words(directive.args)) args = *words;
    }
    std::string out = line(depth, directive.name, args);
    if (!directive.has_block) return out;
    out.insert(out.size() - 1, " {");
    return out + (row.has(kEntries) ? values(row, directive.block, depth + 1)
                                    : block(directive.block, row.inner, depth + 1));
  }

  // Entries in their order; words that hold for the whole block before them, once.
  static std::string values(const DirectiveInfo& row, const Block& tree, std::size_t depth) {
    std::set<std::string> words;
    std::string out;
    for (const auto& entry : tree) {
      const auto* word = find_directive(entry.name, row.inner);
      const auto text = line(depth, entry.name, texts(entry.args));
      const bool fits = word != nullptr && word->max_args == entry.args.size();
      if (fits && (entry.args.empty() || entry.name == "default")) {
        words.insert(text);
      } else {
        out += word == nullptr || fits ? text : line(depth, "\\" + entry.name, texts(entry.args));
      }
    }
    std::string all;
    for (const auto& word : words) all += word;
    return all + out;
  }

  // An extension a line; where one is told twice, the last holds.
  static std::string types(const std::string& name, const Block& tree, std::size_t depth) {
    std::map<std::string, std::string> extensions;
    std::set<std::string> bare;
    for (const auto& entry : tree) {
      if (entry.args.empty()) bare.insert(entry.name);
      for (const auto& arg : entry.args) extensions[arg.text] = entry.name;
    }
    for (const auto& [extension, type] : extensions) bare.erase(type);
    std::string out = line(depth, name, {});
    for (const auto& type : bare) out += line(depth + 1, type, {});
    for (const auto& [extension, type] : extensions) out += line(depth + 1, type, {extension});
    return out;
  }
};

}  // namespace weir::config::testing
