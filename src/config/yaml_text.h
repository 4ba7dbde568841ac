// A YAML document to be written, and its text: quotes only where a reader of YAML 1.1 or 1.2 would
// take the text for something else. Plain values; pure functions, any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::config {

struct YamlValue {
  enum class Kind { text, flag, sequence, mapping };
  Kind kind = Kind::text;
  std::string text;               // of a flag: "true" or "false"
  std::vector<std::string> keys;  // of a mapping, one for each item
  std::vector<YamlValue> items;
  bool flow = false;  // {a: b} or [a, b], if it fits into a line

  static YamlValue of(std::string text);
  static YamlValue of_flag(bool on);
  static YamlValue sequence(std::vector<YamlValue> items = {});
  static YamlValue mapping(bool flow = false);
  // A sequence of text, in a line if it fits.
  static YamlValue list(const std::vector<std::string>& texts);

  void add(std::string key, YamlValue value);  // mapping
};

// The lines of a mapping, at least one.
[[nodiscard]] std::string yaml_text(const YamlValue& root);

// The text of a scalar, in quotes if it needs them. `in_flow`: within {} or [].
[[nodiscard]] std::string yaml_scalar(std::string_view text, bool in_flow);

// YAML has nothing else.
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace weir::config
