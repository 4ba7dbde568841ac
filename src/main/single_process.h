// `master_process off`: the engine in the program's own process, which keeps sockets and files and
// takes signals itself. Control thread.
#pragma once

#include <memory>

#include "main/master.h"

namespace weir::main {

// As Master::run().
[[nodiscard]] int run_single_process(Master::Parts parts,
                                     std::unique_ptr<Configurator::Prepared> first);

}  // namespace weir::main
