// Server side includes in a text, as nginx has them: <!--#name parameter="value" -->. Reading the
// commands and their parts; what they mean to a request is proxy/ssi_page.h. Pure; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::content {

enum class SsiCommand : std::uint8_t {
  include,
  echo,
  config,
  set,
  when,       // if
  else_when,  // elif
  otherwise,  // else
  end_when,   // endif
  block,
  end_block,
};
[[nodiscard]] std::optional<SsiCommand> find_ssi_command(std::string_view name);

struct SsiPiece {
  enum class Kind : std::uint8_t {
    text,
    command,
    broken,  // a command that cannot be read; it has been passed over
  };
  struct Parameter {
    std::string name;
    std::string value;  // as written: see expand_ssi()
  };
  Kind kind = Kind::text;
  std::string_view text;  // within what is read
  std::string name;       // of the command
  std::vector<Parameter> parameters;
  std::string problem;  // broken: what is wrong
};

// Takes a text apart from its beginning to its end, one piece a call.
class SsiReader {
 public:
  static constexpr std::size_t kMaxName = 32;  // of commands and parameters
  static constexpr std::size_t kMaxParameters = 16;

  // `max_value`: bytes of a parameter's value. The text must stay where it is.
  SsiReader(std::string_view text, std::size_t max_value) : rest_(text), max_value_(max_value) {}

  // False: the text has ended. A command that its end cuts off is dropped.
  bool next(SsiPiece& piece);

 private:
  bool read_command(SsiPiece& piece);
  void break_off(SsiPiece& piece, std::string problem);
  bool read_parameter(SsiPiece& piece);
  bool read_value(SsiPiece& piece);
  bool read_end(SsiPiece& piece);
  [[nodiscard]] bool skip_space();

  std::string_view rest_;
  std::size_t max_value_;
};

// The values of a command's parameters, in the order of their names in nginx's documentation:
// include: virtual, file, wait, set, stub; echo: var, default, encoding; config: errmsg, timefmt;
// set: var, value; if, elif: expr; block: name.
using SsiArguments = std::array<std::optional<std::string_view>, 5>;
// Names that the command does not know, twice the same, and missing ones are a `problem`.
[[nodiscard]] bool match_ssi_parameters(SsiCommand command, const SsiPiece& piece,
                                        SsiArguments& arguments, std::string& problem);

// The expression of `if`: TEXT, TEXT = TEXT, TEXT != TEXT, with /REGEX/ on the right.
struct SsiCondition {
  std::string left;  // lower case
  std::string right;
  bool compares = false;  // else: `left` is not empty
  bool negated = false;
  bool regex = false;
};
[[nodiscard]] std::optional<SsiCondition> parse_ssi_condition(std::string_view expression);

// Appends the value of the variable; nothing, if there is none of that name.
using SsiLookup = std::function<void(std::string_view name, std::string& out)>;
// Appends `text` with its variables ($name, ${name}) replaced, and without the backslashes before
// \ ' " and $. False: `problem` says what is wrong with a variable.
[[nodiscard]] bool expand_ssi(std::string_view text, const SsiLookup& look_up, std::string& out,
                              std::string& problem);

// The command as text again, for a block that holds it.
void append_ssi_command(const SsiPiece& piece, std::string& out);

// Formats of $date_local and $date_gmt: those of strftime(); "%s" is the seconds since the epoch.
inline constexpr std::string_view kSsiTimeFormat = "%A, %d-%b-%Y %H:%M:%S %Z";
// Up to 2047 bytes; a format that makes more appends nothing.
void append_ssi_time(std::string_view format, std::time_t time, bool local, std::string& out);

}  // namespace weir::content
