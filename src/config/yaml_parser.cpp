#include "config/yaml_parser.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "config/directives.h"
#include "config/suggest.h"
#include "config/yaml_values.h"

namespace weir::config {
namespace {

// Nodes looked at, aliases followed: a small file of aliases to aliases stands for billions.
constexpr std::size_t kMaxNodes = 200000;
constexpr std::size_t kMaxDepth = 40;
constexpr std::size_t kMaxText = 2u << 20;  // bytes of one file

// Hears where a document starts and nothing else.
struct DocumentStart final : YAML::EventHandler {
  YAML::Mark mark;
  void OnDocumentStart(const YAML::Mark& at) override { mark = at; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

class Reader {
 public:
  Reader(Sources& sources, Diagnostics& diagnostics)
      : sources_(sources), diagnostics_(diagnostics) {}

  void file(const std::shared_ptr<const std::string>& name, const std::string& text,
            std::uint32_t contexts, Block& out) {
    const auto outer = file_;
    file_ = name;
    open_.push_back(*name);
    try {
      document(text, contexts, out);
    } catch (const YAML::Exception& error) {
      diagnostics_.error(position(error.mark), error.msg);
    }
    open_.pop_back();
    file_ = outer;
  }

 private:
  void document(const std::string& text, std::uint32_t contexts, Block& out) {
    if (text.size() > kMaxText) {
      return diagnostics_.error(
          {file_, 0, 0}, "the file is larger than " + std::to_string(kMaxText >> 20) + " MiB");
    }
    // Not YAML::LoadAll: it does not end on "{a},b" (yaml-cpp 0.7).
    std::istringstream in(text);
    YAML::Parser parser(in);
    DocumentStart first;
    DocumentStart second;
    if (parser.HandleNextDocument(first) && parser.HandleNextDocument(second)) {
      return diagnostics_.error(position(second.mark),
                                "text after the end of the document; keep one document");
    }
    const auto root = YAML::Load(text);
    if (root.IsDefined() && !root.IsNull()) mapping(root, contexts, out);
  }

  // ---- mappings of directives ----

  using Skip = std::set<std::string, std::less<>>;

  void mapping(const YAML::Node& node, std::uint32_t contexts, Block& out, const Skip& skip = {}) {
    each(node, "directives",
         [&](const std::string& key, const YAML::Node& at, const YAML::Node& value) {
           if (!skip.contains(key)) entry(key, at, value, contexts, out);
         });
  }

  // Calls visit(key, key node, value) for the pairs of a mapping; keys are unique text.
  template <class Visit>
  void each(const YAML::Node& node, const std::string& what, const Visit& visit) {
    if (!enter(node)) return;
    if (!node.IsMap()) {
      fail(node, "a mapping of " + what + " is wanted here");
    } else {
      std::set<std::string> seen;
      for (const auto& pair : node) {
        if (diagnostics_.full() || exhausted_) break;
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

  void entry(const std::string& key, const YAML::Node& at, const YAML::Node& value,
             std::uint32_t contexts, Block& out) {
    if (key == "include") return include(value, contexts, out);
    if (const auto* row = find_collection(key, contexts)) return collection(*row, at, value, out);
    const auto* row = find_directive(key, contexts);
    if (row == nullptr || !row->yaml_name.empty()) {
      return fail(at, unknown_directive(key, contexts, true));
    }
    any_value(*row, at, value, out);
  }

  void include(const YAML::Node& value, std::uint32_t contexts, Block& out) {
    if (!enter(value)) return;
    leave();
    if (!value.IsScalar()) return fail(value, "include: one name of a file or pattern is wanted");
    if (open_.size() > Sources::kMaxIncludeDepth) {
      return fail(value, "include: files include each other too deeply");
    }
    for (const auto& path : sources_.expand(value.Scalar())) {
      std::string text;
      std::string error;
      if (std::find(open_.begin(), open_.end(), path) != open_.end()) {
        return fail(value, "include: " + quote(path) + " includes itself; remove one of the two");
      }
      if (!sources_.read(path, text, error)) {
        fail(value, "include: cannot read " + quote(path) + ": " + error);
        continue;
      }
      file(std::make_shared<const std::string>(path), text, contexts, out);
    }
  }

  // ---- collections: upstreams, servers, locations, maps ... ----

  void collection(const DirectiveInfo& row, const YAML::Node& at, const YAML::Node& value,
                  Block& out) {
    if (row.has(kNamed)) {
      each(value, "names",
           [&](const std::string& name, const YAML::Node& name_at, const YAML::Node& block) {
             Directive& directive = add(row, name_at, out);
             directive.args.push_back(argument(name_at, name));
             directive.has_block = true;
             mapping(block, row.inner, directive.block);
           });
    } else if (row.name == "map") {
      each(value, "names",
           [&](const std::string& name, const YAML::Node& name_at, const YAML::Node& map) {
             read_map(row, name, name_at, map, out);
           });
    } else if (row.name == "log_format") {
      each(value, "names",
           [&](const std::string& name, const YAML::Node& name_at, const YAML::Node& format) {
             read_log_format(row, name, name_at, format, out);
           });
    } else if (row.name == "location") {
      items(value, [&](const YAML::Node& item) { read_location(row, item, out); });
    } else if (row.has(kBlock)) {
      items(value, [&](const YAML::Node& item) {
        Directive& directive = add(row, item, out);
        directive.has_block = true;
        mapping(item, row.inner, directive.block);
      });
    } else {
      any_value(row, at, value, out);
    }
  }

  // The items of a sequence; anything else counts as a sequence of one.
  template <class Visit>
  void items(const YAML::Node& node, const Visit& visit) {
    if (!enter(node)) return;
    if (!node.IsSequence()) {
      visit(node);
    } else {
      for (const auto& item : node) {
        if (diagnostics_.full() || exhausted_) break;
        visit(item);
      }
    }
    leave();
  }

  void read_location(const DirectiveInfo& row, const YAML::Node& item, Block& out) {
    std::string path;
    std::string match;
    Directive& directive = add(row, item, out);
    directive.has_block = true;
    if (item.IsMap()) {  // what is wrong with its keys is told below
      for (const auto& pair : item) {
        if (!pair.first.IsScalar()) continue;
        if (pair.first.Scalar() == "path") path = text_of(pair.second);
        if (pair.first.Scalar() == "match") match = text_of(pair.second);
      }
    }
    if (path.empty()) return fail(item, "location: path is missing; write path: /");
    if (!match.empty()) {
      const auto modifier = location_modifier(match);
      if (!modifier) {
        return fail(item, "location: unknown match " + quote(match) +
                              "; use prefix, exact, regex, regex_nocase or prefix_no_regex");
      }
      if (!modifier->empty()) directive.args.push_back(argument(item, std::string(*modifier)));
      directive.args.push_back(argument(item, path));
    } else {
      for (auto& word : split_location(path)) {
        directive.args.push_back(argument(item, std::move(word)));
      }
    }
    mapping(item, row.inner, directive.block, {"path", "match"});
  }

  void read_map(const DirectiveInfo& row, const std::string& name, const YAML::Node& at,
                const YAML::Node& node, Block& out) {
    Directive directive;
    directive.name = row.name;
    directive.position = position(at.Mark());
    directive.has_block = true;
    std::string source;
    each(node, "source, default and values",
         [&](const std::string& key, const YAML::Node& key_at, const YAML::Node& value) {
           if (key == "source") {
             source = text_of(value);
           } else if (key == "values") {
             each(value, "keys and values",
                  [&](const std::string& entry, const YAML::Node& entry_at,
                      const YAML::Node& result) {
                    map_entry(map_key(entry), entry_at, result, directive.block);
                  });
           } else if (key == "default") {
             map_entry(key, key_at, value, directive.block);
           } else if (key == "hostnames" || key == "volatile") {
             if (flag(value).value_or(false)) add_named(key, key_at, directive.block);
           } else {
             static constexpr std::string_view kKeys[] = {"source", "values", "default",
                                                          "hostnames", "volatile"};
             fail(key_at, "map: unknown key " + quote(key) + did_you_mean(key, kKeys));
           }
         });
    if (source.empty()) return fail(at, "map: source is missing; write source: $http_NAME");
    directive.args.push_back(argument(at, source));
    directive.args.push_back(argument(at, name.starts_with('$') ? name : "$" + name));
    out.push_back(std::move(directive));
  }

  void map_entry(const std::string& key, const YAML::Node& at, const YAML::Node& value,
                 Block& out) {
    add_named(key, at, out).args.push_back(argument(value, text_of(value)));
  }

  void read_log_format(const DirectiveInfo& row, const std::string& name, const YAML::Node& at,
                       const YAML::Node& node, Block& out) {
    Directive directive;
    directive.name = row.name;
    directive.position = position(at.Mark());
    directive.args.push_back(argument(at, name));
    YAML::Node format = node;
    if (node.IsMap()) {
      format.reset();
      each(node, "format and escape",
           [&](const std::string& key, const YAML::Node& key_at, const YAML::Node& value) {
             if (key == "escape") {
               directive.args.push_back(argument(value, "escape=" + text_of(value)));
             } else if (key == "format") {
               format.reset(value);
             } else {
               fail(key_at, "log_format: unknown key " + quote(key) + "; use format and escape");
             }
           });
      if (!format.IsDefined() || format.IsNull()) return fail(at, "log_format: format is missing");
    }
    items(format,
          [&](const YAML::Node& item) { directive.args.push_back(argument(item, text_of(item))); });
    out.push_back(std::move(directive));
  }

  // ---- values of one directive ----

  void any_value(const DirectiveInfo& row, const YAML::Node& at, const YAML::Node& value,
                 Block& out) {
    if (!enter(value)) return;
    if (row.has(kBlock)) {
      Directive& directive = add(row, at, out);
      directive.has_block = true;
      if (row.has(kEntries)) {
        each(value, "entries",
             [&](const std::string& key, const YAML::Node& key_at, const YAML::Node& words) {
               Directive& entry = add_named(key, key_at, directive.block);
               split_into(words, text_of(words), entry);
             });
      } else {
        mapping(value, row.inner, directive.block);
      }
    } else if (value.IsSequence()) {
      sequence(row, at, value, out);
    } else if (value.IsMap() && row.has(kPairs)) {
      pairs(row, value, out);
    } else if (value.IsMap()) {
      parameters(row, value, {}, add(row, at, out));
    } else {
      scalar(row, at, value, out);
    }
    leave();
  }

  void sequence(const DirectiveInfo& row, const YAML::Node& at, const YAML::Node& value,
                Block& out) {
    const bool arguments = row.has(kList) || (!row.has(kRepeats) && row.several_args());
    if (!arguments && !row.has(kRepeats)) {
      return fail(at, std::string(row.name) + ": takes one value, not a sequence");
    }
    if (arguments) {
      Directive& directive = add(row, at, out);
      for (const auto& item : value) {
        if (exhausted_) return;
        directive.args.push_back(argument(item, text_of(item)));
      }
      return;
    }
    for (const auto& item : value) {
      if (diagnostics_.full() || exhausted_) return;
      if (item.IsSequence()) {
        fail(item, std::string(row.name) + ": a sequence in a sequence");
      } else {
        any_value(row, item, item, out);
      }
    }
  }

  // {Name: value} or {Name: {value: ..., always: true}}
  void pairs(const DirectiveInfo& row, const YAML::Node& value, Block& out) {
    each(value, "names",
         [&](const std::string& name, const YAML::Node& at, const YAML::Node& content) {
           Directive& directive = add(row, at, out);
           if (content.IsMap()) return parameters(row, content, argument(at, name), directive);
           directive.args.push_back(argument(at, name));
           directive.args.push_back(argument(content, text_of(content)));
         });
  }

  // A mapping of named arguments and parameters. `first`: the first argument, given elsewhere.
  void parameters(const DirectiveInfo& row, const YAML::Node& node,
                  const std::optional<Argument>& first, Directive& directive) {
    NamedArguments named(row);
    if (first) named.set_first(*first);
    each(node, "parameters",
         [&](const std::string& key, const YAML::Node& at, const YAML::Node& value) {
           std::string text;
           items(value, [&](const YAML::Node& item) {
             if (!text.empty()) text += ',';
             text += text_of(item);
           });
           const auto error = named.set(key, argument(value, std::move(text)), position(at.Mark()));
           if (!error.empty()) fail(at, std::string(row.name) + ": " + error);
         });
    const auto missing = named.finish(directive.args);
    if (!missing.empty()) fail(node, std::string(row.name) + ": " + missing);
  }

  void scalar(const DirectiveInfo& row, const YAML::Node& at, const YAML::Node& value, Block& out) {
    const std::string text = text_of(value);
    if (row.has(kFlag)) {
      const auto on = flag(value);
      if (on) add(row, at, out).args.push_back(argument(value, *on ? "on" : "off"));
      return;
    }
    if (row.max_args == 0 || (row.min_args == 0 && is_true(text))) {
      if (value.IsNull() || flag(value).value_or(false)) add(row, at, out);
      return;
    }
    if (value.IsNull()) return fail(at, std::string(row.name) + ": the value is missing");
    Directive& directive = add(row, at, out);
    if (text == "false" && can_be_off(row)) {
      directive.args.push_back(argument(value, "off"));
    } else if (row.several_args()) {
      split_into(value, text, directive, row.has(kRest) ? row.max_args : kMany);
    } else {
      directive.args.push_back(argument(value, text));
    }
  }

  // ---- small things ----

  bool enter(const YAML::Node& node) {
    ++depth_;
    if (exhausted_) return depth_--, false;
    const char* problem = nullptr;
    if (++nodes_ > kMaxNodes) problem = "too many nodes; are there aliases of aliases?";
    if (depth_ > kMaxDepth) problem = "too many levels";
    if (problem != nullptr) {
      exhausted_ = true;
      fail(node, problem);
    } else if (!plain_tag(node)) {
      fail(node, "tags are not supported; remove " + quote(node.Tag()));
    } else {
      return true;
    }
    --depth_;
    return false;
  }
  void leave() { --depth_; }

  static bool plain_tag(const YAML::Node& node) {
    const auto& tag = node.Tag();
    return tag.empty() || tag == "?" || tag == "!" || tag.starts_with("tag:yaml.org,2002:");
  }

  std::string text_of(const YAML::Node& node) {
    if (++nodes_ > kMaxNodes) exhausted_ = true;
    if (node.IsScalar()) return node.Scalar();
    if (!node.IsNull()) fail(node, "plain text is wanted here");
    return {};
  }

  std::optional<bool> flag(const YAML::Node& node) {
    const std::string text = text_of(node);
    if (is_true(text)) return true;
    if (text == "false" || text == "off") return false;
    fail(node, "invalid value " + quote(text) + "; use true or false");
    return std::nullopt;
  }

  void split_into(const YAML::Node& at, const std::string& text, Directive& directive,
                  std::size_t most = kMany) {
    for (auto& word : split_at_most(text, most)) {
      directive.args.push_back(argument(at, std::move(word)));
    }
  }

  Directive& add(const DirectiveInfo& row, const YAML::Node& at, Block& out) {
    return add_named(std::string(row.name), at, out);
  }
  Directive& add_named(const std::string& name, const YAML::Node& at, Block& out) {
    Directive& directive = out.emplace_back();
    directive.name = name;
    directive.position = position(at.Mark());
    return directive;
  }

  Argument argument(const YAML::Node& at, std::string text) {
    return {std::move(text), position(at.Mark()), true};
  }

  Position position(const YAML::Mark& mark) const {
    if (mark.is_null()) return {file_, 0, 0};
    return {file_, static_cast<std::uint32_t>(mark.line + 1),
            static_cast<std::uint32_t>(mark.column + 1)};
  }

  void fail(const YAML::Node& at, const std::string& message) {
    diagnostics_.error(position(at.Mark()), message);
  }

  Sources& sources_;
  Diagnostics& diagnostics_;
  std::shared_ptr<const std::string> file_;
  std::vector<std::string> open_;  // files from the main one to the one being read
  std::size_t nodes_ = 0;
  std::size_t depth_ = 0;
  bool exhausted_ = false;
};

}  // namespace

void parse_yaml(const std::shared_ptr<const std::string>& file, const std::string& text,
                Sources& sources, Diagnostics& diagnostics, Block& out) {
  Reader(sources, diagnostics).file(file, text, in_main | in_http, out);
}

}  // namespace weir::config
