// How values of YAML become arguments of directives. Pure functions, and the mapping
// {address: ..., weight: 3, backup: true} as arguments. One thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/directives.h"
#include "config/tree.h"

namespace weir::config {

[[nodiscard]] inline bool is_true(std::string_view text) { return text == "true" || text == "on"; }

// Whether `off` is among the words that the directive takes.
[[nodiscard]] bool can_be_off(const DirectiveInfo& row);

// "prefix", "exact", ... to nginx's modifier ("" for prefix); nullopt: no such word.
[[nodiscard]] std::optional<std::string_view> location_modifier(std::string_view match);

// "= /x", "~ \.php$", "/x": modifier and path.
[[nodiscard]] std::vector<std::string> split_location(std::string_view path);

// A key of a map, protected if nginx would take it for a word of its own.
[[nodiscard]] std::string map_key(const std::string& key);

// Words of a text; the last of `most` words takes the rest.
[[nodiscard]] std::vector<std::string> split_at_most(std::string_view text, std::size_t most);

// Arguments by name, as the row of the directive names them.
class NamedArguments {
 public:
  explicit NamedArguments(const DirectiveInfo& row);
  void set_first(Argument argument) { slots_[0] = std::move(argument); }
  // What is wrong, or "".
  std::string set(const std::string& key, Argument value, const Position& at);
  // Appends the arguments in order; what is missing, or "".
  std::string finish(std::vector<Argument>& out);

 private:
  const DirectiveInfo& row_;
  std::vector<std::vector<std::string_view>> names_;  // of each slot; several are alternatives
  std::vector<std::optional<Argument>> slots_;
  std::vector<Argument> parameters_;
};

}  // namespace weir::config
