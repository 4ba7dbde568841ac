#include "config/yaml_values.h"

#include <algorithm>

#include "config/suggest.h"

namespace weir::config {

bool can_be_off(const DirectiveInfo& row) {
  const auto words = split_words(row.parameters);
  return std::find(words.begin(), words.end(), "off") != words.end();
}

std::optional<std::string_view> location_modifier(std::string_view match) {
  if (match == "prefix") return "";
  if (match == "exact") return "=";
  if (match == "regex") return "~";
  if (match == "regex_nocase") return "~*";
  if (match == "prefix_no_regex") return "^~";
  return std::nullopt;
}

std::vector<std::string> split_location(std::string_view path) {
  for (const std::string_view modifier : {"=", "^~", "~*", "~"}) {
    if (!path.starts_with(modifier)) continue;
    auto rest = path.substr(modifier.size());
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    return {std::string(modifier), std::string(rest)};
  }
  return {std::string(path)};
}

std::string map_key(const std::string& key) {
  if (key == "default" || key == "hostnames" || key == "volatile" || key == "include") {
    return "\\" + key;
  }
  return key;
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

std::string NamedArguments::set(const std::string& key, Argument value, const Position& at) {
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (std::find(names_[i].begin(), names_[i].end(), key) == names_[i].end()) continue;
    if (slots_[i]) return "key " + quote(key) + " says again what is said already";
    slots_[i] = std::move(value);
    return {};
  }
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
  if (!slots_[0] && needs_first) {
    return names_.empty() ? "is not written as a mapping"
                          : std::string(names_[0][0]) + " is missing";
  }
  for (auto& slot : slots_) {
    if (slot) out.push_back(std::move(*slot));
  }
  for (auto& parameter : parameters_) out.push_back(std::move(parameter));
  return {};
}

}  // namespace weir::config
