// The operators' verbs: the table of them, and what those that change something do to the
// OperatorState. Control thread only, but for the table, which is constant.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "admin/source.h"

namespace weir::admin {

enum class Verb : std::uint8_t {
#define WEIR_VERB(id, name, kind, arguments, options, help) id,
#include "admin/verbs.def"
#undef WEIR_VERB
};

struct VerbInfo {
  Verb verb;
  std::string_view name;
  enum class Kind : std::uint8_t { reads, changes, local } kind;
  std::string_view arguments;
  std::string_view options;
  std::string_view help;

  enum class Option : std::uint8_t { unknown, flag, value, values };
  [[nodiscard]] Option option(std::string_view name) const;
  // "--wait --timeout VALUE".
  [[nodiscard]] std::string option_list() const;
};

[[nodiscard]] std::span<const VerbInfo> verb_table();
[[nodiscard]] const VerbInfo* find_verb(std::string_view name);
// The reference page.
[[nodiscard]] std::string verbs_markdown();

// What may have been meant by a name that is not among `names`: "; did you mean "app"?", or, where
// there are few, all of them.
[[nodiscard]] std::string known_names(const std::string& name,
                                      const std::vector<std::string>& names);

// What is asked for. On the command line the first two are arguments without a name.
struct Command {
  Verb verb{};
  std::string target;  // POOL or POOL/PEER
  std::string value;   // of weight: a number; of maintenance: on or off
  std::multimap<std::string, std::string> options;
  [[nodiscard]] std::string option(const std::string& name) const;  // the last one, or ""
};

struct Outcome {
  unsigned status = 200;  // HTTP's: 400 what is asked makes no sense, 404 unknown, 409 not now
  std::string text;       // what has been done, or what is wrong and what to do
  Effect effect = Effect::none;
  [[nodiscard]] bool ok() const { return status == 200; }
};

// Changes `source.operators` by a command that changes something; the caller puts `effect` into
// force. `now`: Unix time in seconds.
[[nodiscard]] Outcome execute(const Source& source, const Command& command, std::int64_t now);

}  // namespace weir::admin
