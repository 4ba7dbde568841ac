// The sub-command `weir convert FILE [-o OUT]`: the configuration of FILE in YAML.
#pragma once

#include <string>

namespace weir::main {

// `program`: its name in messages. `arguments` begin with the word `convert`. Paths are relative to
// the working directory. Writes to OUT or standard output; messages go to standard error. The exit
// status: 1 if FILE has errors, if YAML cannot say it, or if the command line is wrong; nothing is
// written then.
[[nodiscard]] int convert(const std::string& program, int count, char** arguments);

}  // namespace weir::main
