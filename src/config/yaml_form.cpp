#include "config/yaml_form.h"

#include <algorithm>
#include <optional>
#include <set>

#include "config/text.h"
#include "config/yaml_values.h"

namespace weir::config {
namespace {

using Texts = std::vector<std::string>;

std::string joined(const Texts& texts) {
  std::string out;
  for (const auto& text : texts) out += (out.empty() ? "" : " ") + text;
  return out;
}

bool contains(const std::vector<std::string_view>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// The reader splits the text into these words again.
bool splits_into(const std::string& text, const Texts& words) {
  return split_at_most(text, text.size()) == words;
}

// ---- true, false, text ----

std::optional<YamlValue> flag_form(const DirectiveInfo& row, const Texts& args) {
  if (row.has(kFlag)) {
    const std::string word = args.size() == 1 ? lower(args[0]) : "";
    if (word == "on" || word == "off") return YamlValue::of_flag(word == "on");
    return std::nullopt;
  }
  if (row.max_args == 0) {
    return args.empty() ? std::optional(YamlValue::of_flag(true)) : std::nullopt;
  }
  for (const bool on : {true, false}) {
    const bool same = scalar_arguments(row, on ? "true" : "false") == args;
    if (same && (args.empty() || args[0] == "on" || args[0] == "off")) {
      return YamlValue::of_flag(on);
    }
  }
  return std::nullopt;
}

std::optional<YamlValue> text_form(const DirectiveInfo& row, const Texts& args) {
  if (row.has(kFlag) || row.max_args == 0) return std::nullopt;
  auto text = joined(args);
  if (means_absent(row, text) || scalar_arguments(row, text) != args) return std::nullopt;
  return YamlValue::of(std::move(text));
}

// ---- {address: a, weight: 3, backup: true} ----

// "text|url": the URL where the text looks like one.
std::string_view choose(std::string_view alternatives, std::string_view text) {
  const bool url = text.find("://") != std::string_view::npos || text.starts_with('/') ||
                   text.starts_with("$scheme");
  const auto bar = alternatives.find('|');
  if (bar == std::string_view::npos) return alternatives;
  return url ? alternatives.substr(bar + 1) : alternatives.substr(0, bar);
}

// The value of NAME=VALUE; codes with commas between are a list.
YamlValue parameter_value(std::string_view text) {
  if (text == "on" || text == "off") return YamlValue::of_flag(text == "on");
  const bool codes = text.find(',') != std::string_view::npos && text.front() != ',' &&
                     text.back() != ',' && text.find(",,") == std::string_view::npos &&
                     text.find_first_not_of("0123456789-,") == std::string_view::npos;
  if (!codes) return YamlValue::of(std::string(text));
  Texts list;
  while (true) {
    const auto comma = text.find(',');
    list.emplace_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return YamlValue::list(list);
    text.remove_prefix(comma + 1);
  }
}

// What the reader takes the value for.
std::vector<Argument> read_back(const YamlValue& value) {
  std::vector<Argument> values;
  for (const auto& item : value.items) values.push_back({item.text, {}, true});
  if (value.kind != YamlValue::Kind::sequence) values.push_back({value.text, {}, true});
  return values;
}

class NamedForm {
 public:
  // `first`: the first argument is said elsewhere.
  NamedForm(const DirectiveInfo& row, const Texts& args, bool first)
      : row_(row),
        args_(args),
        first_(first),
        slots_(split_words(row.positional)),
        parameters_(split_words(row.parameters)) {}

  std::optional<YamlValue> make() {
    if (!row_.several_args() || (slots_.empty() && parameters_.empty())) return std::nullopt;
    // The one argument of `return` may be its last.
    const bool last = row_.has(kRest) && args_.size() == 1 && !slots_.empty();
    std::size_t slot = first_ ? 1 : last ? slots_.size() - 1 : 0;
    for (std::size_t i = first_ ? 1 : 0; i < args_.size(); ++i) {
      const bool positional = slot < slots_.size() && (slot == 0 || !is_parameter(args_[i]));
      if (positional && row_.has(kList) && slot + 1 == slots_.size()) {
        const std::size_t end = end_of_list(i);
        value_.add(std::string(slots_[slot++]),
                   YamlValue::list({args_.begin() + static_cast<std::ptrdiff_t>(i),
                                    args_.begin() + static_cast<std::ptrdiff_t>(end)}));
        i = end - 1;
      } else if (positional) {
        value_.add(std::string(choose(slots_[slot++], args_[i])), YamlValue::of(args_[i]));
      } else if (!is_parameter(args_[i])) {
        return std::nullopt;
      } else {
        slot = slots_.size();
        add_parameter(args_[i]);
      }
    }
    if (!reads_back()) return std::nullopt;
    return value_;
  }

 private:
  static std::string_view key_of(std::string_view arg) { return arg.substr(0, arg.find('=')); }

  bool is_parameter(std::string_view arg) const {
    const std::string key(key_of(arg));
    if (key.size() == arg.size()) return contains(parameters_, key);
    return contains(parameters_, key + "=") || contains(parameters_, key + "=?");
  }

  // Where the parameters begin.
  std::size_t end_of_list(std::size_t at) const {
    while (++at < args_.size() && !is_parameter(args_[at])) continue;
    return at;
  }

  void add_parameter(std::string_view arg) {
    const auto key = key_of(arg);
    value_.add(std::string(key), key.size() == arg.size()
                                     ? YamlValue::of_flag(true)
                                     : parameter_value(arg.substr(key.size() + 1)));
  }

  bool reads_back() const {
    NamedArguments named(row_);
    if (first_) named.set_first({args_[0], {}, true});
    std::set<std::string> seen;
    for (std::size_t i = 0; i < value_.keys.size(); ++i) {
      const auto& key = value_.keys[i];
      if (!seen.insert(key).second) return false;
      if (!named.set(key, read_back(value_.items[i]), {}).empty()) return false;
    }
    std::vector<Argument> read;
    return named.finish(read).empty() && texts_of(read) == args_;
  }

  const DirectiveInfo& row_;
  const Texts& args_;
  bool first_;
  std::vector<std::string_view> slots_;
  std::vector<std::string_view> parameters_;
  YamlValue value_ = YamlValue::mapping(true);
};

// ---- one directive ----

struct Form {
  YamlValue value;
  bool nested = false;  // an item of a sequence: [[a, b]]
};

Form form(const DirectiveInfo& row, const Texts& args) {
  if (auto value = flag_form(row, args)) return {std::move(*value)};
  auto named = NamedForm(row, args, false).make();
  const bool only_named = named && row.positional.empty();
  const bool one_text = args.size() == 1 || row.has(kRest);
  auto text = text_form(row, args);
  if (text && one_text && !only_named) return {std::move(*text)};
  if (named) return {std::move(*named)};
  if (sequence_is_arguments(row)) return {YamlValue::list(args)};
  if (text) return {std::move(*text)};
  return {YamlValue::list(args), true};
}

// ---- {Name: value} ----

// {404 500: /page}, {404: =200 /page}: codes, or the first word, and the rest.
std::optional<YamlValue> split_pair(const Texts& args) {
  const auto is_code = [](const std::string& text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  };
  std::size_t keys = 1;
  while (is_code(args[0]) && keys + 1 < args.size() && is_code(args[keys])) ++keys;
  const auto middle = args.begin() + static_cast<std::ptrdiff_t>(keys);
  const Texts left(args.begin(), middle);
  const Texts right(middle, args.end());
  if (!splits_into(joined(left), left) || !splits_into(joined(right), right)) return std::nullopt;
  YamlValue pair = YamlValue::mapping(true);
  pair.add(joined(left), YamlValue::of(joined(right)));
  return pair;
}

// A mapping of one pair; of three arguments on, its value is a mapping too.
std::optional<YamlValue> pair_form(const DirectiveInfo& row, const Texts& args) {
  if (args.size() < 2) return std::nullopt;
  if (row.has(kSplitPairs)) return split_pair(args);
  std::optional<YamlValue> value = YamlValue::of(args[1]);
  if (args.size() > 2)
    value = row.positional.empty() ? std::nullopt : NamedForm(row, args, true).make();
  if (!value) return std::nullopt;
  YamlValue pair = YamlValue::mapping(true);
  pair.add(args[0], std::move(*value));
  return pair;
}

YamlValue pairs_form(const DirectiveInfo& row, const Directives& directives) {
  YamlValue pairs = YamlValue::mapping();
  YamlValue all = YamlValue::sequence();
  bool nested = false;
  for (const auto* directive : directives) {
    const auto args = texts_of(directive->args);
    if (auto pair = pair_form(row, args)) {
      pairs.add(pair->keys[0], pair->items[0]);
      all.items.push_back(std::move(*pair));
    } else {
      auto one = form(row, args);
      nested = nested || one.nested;
      all.items.push_back(std::move(one.value));
    }
  }
  if (pairs.items.size() == all.items.size()) return yaml_in_order(std::move(pairs));
  return all.items.size() == 1 && !nested ? std::move(all.items[0]) : all;
}

}  // namespace

YamlValue yaml_form(const DirectiveInfo& row, const Directives& directives) {
  if (row.has(kPairs)) return pairs_form(row, directives);
  if (row.has(kList) && directives.size() > 1) {
    Texts all;
    for (const auto* directive : directives) {
      for (const auto& argument : directive->args) all.push_back(argument.text);
    }
    if (row.max_args == kMany || all.size() <= row.max_args) return YamlValue::list(all);
  }
  YamlValue sequence = YamlValue::sequence();
  for (const auto* directive : directives) {
    auto made = form(row, texts_of(directive->args));
    if (row.has(kList) && directives.size() > 1)
      made = {YamlValue::list(texts_of(directive->args)), true};
    // A collection is a list even of one.
    const bool alone = directives.size() == 1 && !made.nested && row.yaml_name.empty();
    if (alone) return std::move(made.value);
    sequence.items.push_back(std::move(made.value));
  }
  sequence.flow = std::all_of(sequence.items.begin(), sequence.items.end(),
                              [](const YamlValue& item) { return item.items.empty(); });
  return sequence;
}

YamlValue yaml_words(const std::vector<std::string>& words) {
  const std::string text = joined(words);
  if (!words.empty() && splits_into(text, words)) return YamlValue::of(text);
  return YamlValue::list(words);
}

YamlValue yaml_in_order(YamlValue mapping) {
  YamlValue all = YamlValue::sequence();
  std::set<std::string> seen;
  for (std::size_t i = 0; i < mapping.keys.size(); ++i) {
    if (all.items.empty() || !seen.insert(mapping.keys[i]).second) {
      all.items.push_back(YamlValue::mapping(mapping.flow));
      seen = {mapping.keys[i]};
    }
    all.items.back().add(std::move(mapping.keys[i]), std::move(mapping.items[i]));
  }
  return all.items.size() > 1 ? all : all.items.empty() ? mapping : std::move(all.items[0]);
}

std::vector<std::string> texts_of(const std::vector<Argument>& arguments) {
  std::vector<std::string> texts;
  for (const auto& argument : arguments) texts.push_back(argument.text);
  return texts;
}

}  // namespace weir::config
