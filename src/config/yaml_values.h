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

// Whether a list of words, separated by blanks, has the word.
[[nodiscard]] bool has_word(std::string_view words, std::string_view word);
// A scalar that says of a directive which needs no argument that it is not there.
[[nodiscard]] bool means_absent(const DirectiveInfo& row, std::string_view text);
// `true` and `false` as the words on and off, if the directive takes these.
[[nodiscard]] std::string plain_word(const DirectiveInfo& row, std::string text);

// Whether a sequence of plain text gives the arguments of one directive, not a directive each.
[[nodiscard]] bool sequence_is_arguments(const DirectiveInfo& row);

// The arguments that the text of a scalar stands for, if the directive takes any.
[[nodiscard]] std::vector<std::string> scalar_arguments(const DirectiveInfo& row,
                                                        const std::string& text);

// "prefix", "exact", ... to nginx's modifier ("" for prefix); nullopt: no such word.
[[nodiscard]] std::optional<std::string_view> location_modifier(std::string_view match);
// The reverse; "" if there is no such modifier.
[[nodiscard]] std::string_view location_match(std::string_view modifier);

// The one argument of nginx's `location` as two, "=/x" as "=" and "/x", if it has a modifier.
[[nodiscard]] std::vector<std::string> location_words(std::string_view argument);
// The same of YAML's `path`, which may have blanks between: "= /x", "~ \.php$".
[[nodiscard]] std::vector<std::string> split_location(std::string_view path);

// A key of a block of entries, with a backslash if it is the name of one of the block's directives.
[[nodiscard]] std::string entry_name(const DirectiveInfo& row, const std::string& key);

// Words of a text; the last of `most` words takes the rest.
[[nodiscard]] std::vector<std::string> split_at_most(std::string_view text, std::size_t most);

// Arguments by name, as the row of the directive names them.
class NamedArguments {
 public:
  explicit NamedArguments(const DirectiveInfo& row);
  void set_first(Argument argument) { slots_[0] = {std::move(argument)}; }
  // `values`: one, or those of a sequence. What is wrong, or "".
  std::string set(const std::string& key, std::vector<Argument> values, const Position& at);
  // Appends the arguments in order; what is missing, or "".
  std::string finish(std::vector<Argument>& out);

 private:
  const DirectiveInfo& row_;
  std::vector<std::vector<std::string_view>> names_;  // of each slot; several are alternatives
  std::vector<std::vector<Argument>> slots_;
  std::vector<Argument> parameters_;
};

}  // namespace weir::config
