// `weir -s SIGNAL`: tells the running weir, or nginx, of a configuration what to do.
#pragma once

#include <string>

#include "main/configurator.h"

namespace weir::main {

// `signal`: stop, quit, reopen or reload. Returns after stop and quit when the process is gone and
// its pid file with it, or with an error when that takes too long. The exit status.
[[nodiscard]] int send_signal(const Configurator::Options& options, const std::string& signal);

}  // namespace weir::main
