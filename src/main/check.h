// `weir -t` and `-T`: whether a configuration could be served here and now. Changes nothing, but
// makes log files that are missing, as nginx does.
#pragma once

#include "main/command_line.h"
#include "main/configurator.h"

namespace weir::main {

// What it finds goes to standard error, the dump of -T to standard output. The exit status.
[[nodiscard]] int check(const Configurator::Options& options, const Arguments& arguments);

}  // namespace weir::main
