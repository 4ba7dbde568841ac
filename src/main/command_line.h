// The arguments, read as nginx reads its own: options may be joined ("-tq"), a value may follow its
// letter directly ("-cFILE") or as the next argument. A value.
#pragma once

#include <optional>
#include <string>

namespace weir::main {

struct Arguments {
  bool version = false;    // -v
  bool configure = false;  // -V
  bool help = false;       // -h, -?
  std::string topic;       // -h TOPIC
  bool test = false;       // -t, -T
  bool dump = false;       // -T
  bool quiet = false;      // -q
  bool diff = false;       // --diff
  std::string socket;      // --socket PATH; else empty
  std::optional<std::string> prefix;
  std::optional<std::string> config;
  std::optional<std::string> error_log;
  std::optional<std::string> directives;
  std::string signal;  // -s: stop, quit, reopen or reload; else empty
};

// Empty, or what is wrong.
[[nodiscard]] std::string parse_arguments(int argc, const char* const* argv, Arguments& out);

}  // namespace weir::main
