// Trees made at random from the table of directives, of words that YAML or nginx could take for
// something else: what is written from them is read as the same tree.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <random>
#include <set>

#include "config/yaml_parser.h"
#include "config/yaml_writer.h"
#include "tree_form.h"

using namespace weir::config;
using namespace weir::config::testing;

namespace {

constexpr std::array<std::string_view, 62> kWords = {
    "a",      "b",       "on",       "off",      "true",         "false",      "no",
    "null",   "~",       "",         " ",        "a b",          " a",         "a ",
    "a  b",   "0",       "80",       "010",      "1.1",          "1e3",        "0x1",
    "12:30",  "-1",      "- a",      "a: b",     "a:",           ":a",         "a #b",
    "#a",     "*.a",     "&a",       "!a",       "[a]",          "{a}",        "a,b",
    "a?b",    "?",       "'a'",      "\"a\"",    "a\\",          "\\",         "a\\\"",
    "\n",     "a\tb",    "$host",    "${a}b",    "http://a/",    "/a;b",       "=",
    "~ ^/a",  "~*",      "weight=1", "backup",   "buffer=",      "status=1,2", "escape=json",
    "always", "default", "include",  "volatile", "\u00e9\u2028", "%"};

class Generator {
 public:
  explicit Generator(std::uint32_t seed) : random_(seed) {}

  Block block(std::uint32_t contexts, std::size_t depth) {
    Block out;
    std::set<std::string_view> once;
    std::vector<const DirectiveInfo*> rows;
    for (const auto& row : directive_table()) {
      const bool rare = row.support == Support::accepted && pick(8) != 0;
      if ((row.contexts & contexts) != 0 && row.name != "defaults" && !rare) rows.push_back(&row);
    }
    const std::size_t count = pick(depth == 0 ? 12 : 6);
    for (std::size_t i = 0; i < count && !rows.empty(); ++i) {
      const auto& row = *rows[pick(rows.size())];
      if (row.has(kBlock) && depth > 5) continue;
      const std::size_t copies = row.has(kRepeats) ? 1 + pick(3) : 1;
      if (!row.has(kRepeats) && !once.insert(row.name).second) continue;
      for (std::size_t copy = 0; copy < copies; ++copy) out.push_back(directive(row, depth));
    }
    return out;
  }

 private:
  std::size_t pick(std::size_t count) { return random_() % count; }
  std::string word() { return std::string(kWords[pick(kWords.size())]); }

  Argument argument(std::string text) { return {std::move(text), {}, pick(2) == 0}; }

  Directive directive(const DirectiveInfo& row, std::size_t depth) {
    Directive made;
    made.name = row.name;
    const std::size_t most = std::min<std::size_t>(row.max_args, row.min_args + 3u);
    const std::size_t count = row.min_args + pick(most - row.min_args + 1);
    for (std::size_t i = 0; i < count; ++i) made.args.push_back(argument(word()));
    const auto parameters = split_words(row.parameters);
    if (count > row.min_args && !parameters.empty() && pick(2) == 0) {
      const std::string parameter(parameters[pick(parameters.size())]);
      made.args.back().text = parameter + (parameter.ends_with('=') ? word() : "");
    }
    if (row.has(kFlag) && pick(4) != 0) made.args[0].text = pick(2) == 0 ? "on" : "OFF";
    if (!row.has(kBlock)) return made;
    made.has_block = true;
    if (row.name == "location" && made.args.size() == 2) {
      made.args[0].text = std::array<const char*, 4>{"=", "~", "~*", "^~"}[pick(4)];
    }
    if (row.has(kOrdered)) made.args = condition();
    if (row.has(kNamed) && row.has(kEntries)) made.args.back().text = "$" + word() + "x";
    made.block = row.has(kEntries) ? entries(row) : block(row.inner, depth + 1);
    return made;
  }

  // As the lexer gives them: only words of their own have quotes.
  std::vector<Argument> condition() {
    std::vector<Argument> args;
    std::string first;
    while (first.find_first_not_of(" \t\n;{") != first.npos || first.empty()) {
      first = word();
      if (first.find_first_of(" \t\n;{") == first.npos) break;
      first.clear();
    }
    args.push_back({"(" + first, {}, false});
    for (std::size_t i = pick(3); i > 0; --i) args.push_back({word(), {}, true});
    args.push_back({")", {}, false});
    return args;
  }

  Block entries(const DirectiveInfo& row) {
    Block out;
    for (std::size_t i = pick(6); i > 0; --i) {
      Directive& entry = out.emplace_back();
      entry.name = word();
      const bool one = row.has(kNamed) || !row.yaml_name.empty();
      for (std::size_t count = one ? 1 : pick(4); count > 0; --count) {
        entry.args.push_back(argument(word()));
      }
      if (entry.name == "include")
        entry.name = "\\include";  // expanded by the parser of nginx.conf
    }
    return out;
  }

  std::mt19937 random_;
};

}  // namespace

TEST_CASE("trees at random mean the same in YAML") {
  const LoadOptions how;
  for (std::uint32_t seed = 0; seed < 3000; ++seed) {
    CAPTURE(seed);
    const auto tree = Generator(seed).block(in_main | in_http, 0);
    Diagnostics unsaid;
    const auto yaml = write_yaml(tree, Dialect::nginx, unsaid);
    CAPTURE(yaml);
    for (const auto& diagnostic : unsaid.take()) {
      FAIL_CHECK(diagnostic.message);
    }
    Sources sources(how, "t");
    Diagnostics mistakes;
    Block again;
    parse_yaml(std::make_shared<const std::string>("t"), yaml, sources, mistakes, again);
    for (const auto& diagnostic : mistakes.take()) FAIL_CHECK(diagnostic.text());
    REQUIRE(TreeForm::of(again) == TreeForm::of(tree));
  }
}
