#include "config/yaml_values.h"

#include <algorithm>

#include "config/suggest.h"
#include "config/yaml_parser.h"

namespace weir::config {
namespace {

struct Match {
  std::string_view match;
  std::string_view modifier;
};
constexpr Match kMatches[] = {{"prefix", ""},
                              {"exact", "="},
                              {"regex", "~"},
                              {"regex_nocase", "~*"},
                              {"prefix_no_regex", "^~"}};

}  // namespace

// The first word of the text that is not a comment tells: YAML has "key:" there (or "---", "%", a
// quote or a flow mapping), nginx.conf a directive.
bool is_yaml(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  while (true) {
    const auto start = text.find_first_not_of(" \t\r\n");
    if (start == std::string_view::npos) return false;
    text.remove_prefix(start);
    if (text.front() != '#') break;
    text.remove_prefix(std::min(text.find('\n'), text.size()));
  }
  if (text.starts_with("---") || text.starts_with("- ") || text.starts_with("? ")) return true;
  if (text.front() == '{' || text.front() == '[' || text.front() == '%') return true;
  const auto line = text.substr(0, text.find('\n'));
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return false;
  const bool blank_after = colon + 1 == line.size() || line[colon + 1] == ' ' ||
                           line[colon + 1] == '\t' || line[colon + 1] == '\r';
  return blank_after && line.substr(0, colon).find_first_of(";{}") == std::string_view::npos;
}

bool has_word(std::string_view words, std::string_view word) {
  const auto list = split_words(words);
  return std::find(list.begin(), list.end(), word) != list.end();
}

bool means_absent(const DirectiveInfo& row, std::string_view text) {
  return row.min_args == 0 && (text == "false" || text == "off") &&
         row.support != Support::accepted && !has_word(row.parameters, "off");
}

std::string plain_word(const DirectiveInfo& row, std::string text) {
  // Nothing is known of what an accepted directive takes.
  const bool any = row.support == Support::accepted;
  if (text == "true" && (any || has_word(row.parameters, "on"))) return "on";
  if (text == "false" && (any || has_word(row.parameters, "off"))) return "off";
  return text;
}

bool sequence_is_arguments(const DirectiveInfo& row) {
  if (row.has(kList)) return true;
  // Of those whose order counts, each has a place of its own.
  return row.several_args() && (!row.has(kRepeats) || ordered_list_of(row) != nullptr);
}

std::vector<std::string> scalar_arguments(const DirectiveInfo& row, const std::string& text) {
  if (row.support != Support::accepted && row.min_args == 0 && is_true(text)) return {};
  const std::string word = plain_word(row, text);
  if (!row.several_args()) return {word};
  auto words = split_at_most(word, row.has(kRest) ? row.max_args : word.size());
  if (!row.has(kOperator) || words.size() < 2) return words;
  const bool found = std::any_of(words.begin(), words.end() - 1, [&](const std::string& part) {
    return has_word(row.parameters, part);
  });
  return found ? words : std::vector<std::string>{word};
}

std::optional<std::string_view> location_modifier(std::string_view match) {
  for (const auto& row : kMatches) {
    if (row.match == match) return row.modifier;
  }
  return std::nullopt;
}

std::string_view location_match(std::string_view modifier) {
  for (const auto& row : kMatches) {
    if (row.modifier == modifier) return row.match;
  }
  return {};
}

std::vector<std::string> location_words(std::string_view argument) {
  for (const std::string_view modifier : {"=", "^~", "~*", "~"}) {
    if (!argument.starts_with(modifier)) continue;
    return {std::string(modifier), std::string(argument.substr(modifier.size()))};
  }
  return {std::string(argument)};
}

std::vector<std::string> split_location(std::string_view path) {
  auto words = location_words(path);
  if (words.size() == 2) words[1].erase(0, words[1].find_first_not_of(' '));
  return words;
}

std::string entry_name(const DirectiveInfo& row, const std::string& key) {
  const bool taken = key == "include" || find_directive(key, row.inner) != nullptr;
  return taken ? "\\" + key : key;
}

std::vector<std::string> split_at_most(std::string_view text, std::size_t most) {
  constexpr std::string_view kBlanks = " \t\r\n";
  std::vector<std::string> words;
  while (true) {
    const auto from = text.find_first_not_of(kBlanks);
    if (from == std::string_view::npos) return words;
    text.remove_prefix(from);
    if (words.size() + 1 == most) {
      words.emplace_back(text);
      return words;
    }
    const auto size = std::min(text.find_first_of(kBlanks), text.size());
    words.emplace_back(text.substr(0, size));
    text.remove_prefix(size);
  }
}

namespace {

// A sequence as one text: "a,b".
Argument joined(std::vector<Argument> values, const Position& at) {
  Argument one{{}, values.empty() ? at : values.front().position, true};
  for (const auto& value : values) one.text += (&value == &values.front() ? "" : ",") + value.text;
  return one;
}

}  // namespace

NamedArguments::NamedArguments(const DirectiveInfo& row) : row_(row) {
  for (auto word : split_words(row.positional)) {
    std::vector<std::string_view> names;
    while (true) {
      const auto bar = word.find('|');
      names.push_back(word.substr(0, bar));
      if (bar == std::string_view::npos) break;
      word.remove_prefix(bar + 1);
    }
    names_.push_back(std::move(names));
  }
  slots_.resize(std::max<std::size_t>(names_.size(), 1));
}

std::string NamedArguments::set(const std::string& key, std::vector<Argument> values,
                                const Position& at) {
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (std::find(names_[i].begin(), names_[i].end(), key) == names_[i].end()) continue;
    if (!slots_[i].empty()) return "key " + quote(key) + " says again what is said already";
    if (!row_.has(kList)) values = {joined(std::move(values), at)};
    slots_[i] = std::move(values);
    return {};
  }
  const Argument value = joined(std::move(values), at);
  std::vector<std::string_view> known;
  for (const auto& names : names_) known.insert(known.end(), names.begin(), names.end());
  for (const auto word : split_words(row_.parameters)) {
    const bool supported = word.front() != '!';
    const auto form = supported ? word : word.substr(1);
    const auto name = form.substr(0, form.find('='));
    if (supported) known.push_back(name);
    if (name != key) continue;
    if (!supported) return "parameter " + quote(key) + " is not supported yet; remove it";
    const bool on = is_true(value.text);
    const bool off = value.text == "false" || value.text == "off";
    if (form == name) {
      if (!on && !off) return "parameter " + quote(key) + " is true or false";
      if (on) parameters_.push_back({key, at, true});
    } else {
      const std::string text = value.text == "true"    ? "on"
                               : value.text == "false" ? "off"
                                                       : value.text;
      parameters_.push_back({key + "=" + text, value.position, true});
    }
    return {};
  }
  return "unknown key " + quote(key) + did_you_mean(key, known);
}

std::string NamedArguments::finish(std::vector<Argument>& out) {
  // `return: {url: ...}` has no status; elsewhere the first argument is what it is all about.
  const bool needs_first = row_.min_args > 0 && !row_.has(kRest);
  const bool only_parameters = names_.empty() && !row_.parameters.empty();
  if (slots_[0].empty() && needs_first && !only_parameters) {
    return names_.empty() ? "is not written as a mapping"
                          : std::string(names_[0][0]) + " is missing";
  }
  for (auto& slot : slots_) {
    for (auto& argument : slot) out.push_back(std::move(argument));
  }
  for (auto& parameter : parameters_) out.push_back(std::move(parameter));
  return {};
}

}  // namespace weir::config
