// The table of directives: for each, where it may stand, its arguments, its default, one line of
// help and the function that compiles it. The parsers, the checks, the error texts and the
// reference page all come from it. Constant data, any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::config {

struct Call;  // compiler.h
using Handler = void (*)(const Call&);

// Blocks that a directive may stand in, as bits.
enum Context : std::uint32_t {
  in_main = 1u << 0,
  in_events = 1u << 1,
  in_http = 1u << 2,
  in_server = 1u << 3,
  in_location = 1u << 4,
  in_upstream = 1u << 5,
  in_map = 1u << 6,
  in_match = 1u << 7,
  in_types = 1u << 8,
  in_admin = 1u << 9,
  in_if = 1u << 10,         // of a location
  in_server_if = 1u << 11,  // of a server
  in_limit_except = 1u << 12,
  in_geo = 1u << 13,
  in_split_clients = 1u << 14,
  in_charset_map = 1u << 15,
  in_stream = 1u << 16,
  in_stream_server = 1u << 17,
  in_stream_upstream = 1u << 18,
  in_acme = 1u << 19,
  in_otel = 1u << 20,  // otel_exporter
};

enum class Support : std::uint8_t {
  implemented,
  accepted,     // checked for its place only, changes nothing; `note` says why
  unsupported,  // nginx has it, weir has not; `note` says what to do instead
};

enum DirectiveFlag : std::uint32_t {
  kFlag = 1u << 0,     // takes `on` or `off`
  kBlock = 1u << 1,    // has a block
  kRepeats = 1u << 2,  // may stand more than once in a block
  kList = 1u << 3,     // a YAML sequence gives the arguments of one directive; with kRepeats, two
                       // directives are the same as one with the arguments of both
  kPairs = 1u << 4,    // in YAML a mapping {first argument: second argument}
  kNamed = 1u << 5,    // a block with a name: in YAML a mapping {name: block}; with kEntries the
                       // name is the last argument, a variable
  kEntries = 1u << 6,  // the block holds entries of its own, not directives
  kOwn = 1u << 7,      // weir's own, unknown to nginx
  kRest = 1u << 8,     // in a YAML scalar the last argument takes the rest, blanks included
  kOrdered = 1u << 9,  // runs in the order written: in YAML an item of `rules`. With a block, its
                       // arguments are a condition in parentheses: in YAML the key `condition`
  kAccess = 1u << 10,  // tried in the order written: in YAML an item of `access`
  kSplitPairs = 1u << 11,  // kPairs: both sides are words, each an argument
  kMayBlock = 1u << 12,    // may have a block; in YAML a mapping below the key `entries`
  kOperator = 1u << 13,    // a YAML scalar is split only where one of the words before the last is
                           // an operator of `parameters`
  kSecret = 1u << 14,      // the last argument is shown to nobody: `-T` masks it
};

// A key of YAML whose sequence keeps the order of directives with different names, which a mapping
// has not.
struct OrderedList {
  std::string_view key;
  DirectiveFlag flag;  // of the directives that may be its items
};
inline constexpr OrderedList kOrderedLists[] = {{"rules", kOrdered}, {"access", kAccess}};

inline constexpr std::uint8_t kMany = 255;

struct DirectiveInfo {
  std::string_view name;
  std::uint32_t contexts = 0;
  std::uint8_t min_args = 0;
  std::uint8_t max_args = 0;
  std::uint32_t flags = 0;
  Handler handler = nullptr;
  std::string_view default_text = {};
  std::string_view help = {};
  // Parameters, separated by blanks: "backup" a word, "weight=" with a value, "reuseport=?" with
  // or without, "!resolve" one that nginx has and weir has not.
  std::string_view parameters = {};
  // Names that a YAML mapping gives the arguments before the parameters: "path format". Those of a
  // block stand beside its directives.
  std::string_view positional = {};
  std::string_view yaml_name = {};      // name of the collection in YAML: "servers"
  std::uint32_t inner = 0;              // context of the block
  std::string_view entries = "values";  // key of the entries of a block in YAML, beside its words
  Support support = Support::implemented;

  [[nodiscard]] bool has(DirectiveFlag flag) const { return (flags & flag) != 0; }
  [[nodiscard]] bool several_args() const { return max_args > 1; }
};

// All implemented and accepted directives, in the order of the reference page.
[[nodiscard]] std::span<const DirectiveInfo> directive_table();

// The row of `name` that may stand in one of `contexts`; null if there is none.
[[nodiscard]] const DirectiveInfo* find_directive(std::string_view name, std::uint32_t contexts);

// What to do about a directive that nginx has and weir has not; empty if nginx has none either.
[[nodiscard]] std::string_view unsupported_advice(std::string_view name);

// "http, server": the names of the contexts in `contexts`.
[[nodiscard]] std::string context_names(std::uint32_t contexts);
// Contexts in which a directive called `name` may stand.
[[nodiscard]] std::uint32_t contexts_of(std::string_view name);

// The row of the collection `name` of YAML ("servers") that may stand in one of `contexts`.
[[nodiscard]] const DirectiveInfo* find_collection(std::string_view name, std::uint32_t contexts);

// The list `key` of YAML, if a directive that may stand in it may stand in one of `contexts`.
[[nodiscard]] const OrderedList* find_ordered_list(std::string_view key, std::uint32_t contexts);
// The list that the directive may stand in; null if its order does not count.
[[nodiscard]] const OrderedList* ordered_list_of(const DirectiveInfo& row);

// What to say of a name that may not stand in `contexts`: misplaced, misspelt, or not supported.
[[nodiscard]] std::string unknown_directive(std::string_view name, std::uint32_t contexts,
                                            bool yaml);

// The words of a blank-separated list.
[[nodiscard]] std::vector<std::string_view> split_words(std::string_view text);

// The table as a Markdown page.
[[nodiscard]] std::string directives_markdown();

}  // namespace weir::config
