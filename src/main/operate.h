// The sub-commands of operators: `weir drain app/10.0.0.1:80 --wait`. Each asks the running weir
// over its Unix socket.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "main/configurator.h"

namespace weir::main {

// Where in `argv` the name of a verb stands: the first argument that is no option, nor the value of
// one. 0: there is none.
[[nodiscard]] int find_verb_argument(int argc, const char* const* argv);

// What may have been meant by an argument that is neither; "" or "; did you mean "drain"?".
[[nodiscard]] std::string suggest_verb(int argc, const char* const* argv);

// The arguments of a sub-command, without those that all commands have (-c and the like).
struct VerbCall {
  std::string verb;
  std::vector<std::string> words;
  std::vector<std::pair<std::string, std::string>> options;  // names without "--"
  bool help = false;
  [[nodiscard]] const std::string* option(const std::string& name) const;
};
// Takes them out of `arguments`, which begin with the program and hold the verb at `at`. Empty, or
// what is wrong.
[[nodiscard]] std::string parse_verb(std::vector<std::string>& arguments, std::size_t at,
                                     VerbCall& out);

// Asks, and writes the answer to standard output, what is wrong to standard error. The exit status.
[[nodiscard]] int operate(const Configurator::Options& options, const VerbCall& call);

}  // namespace weir::main
