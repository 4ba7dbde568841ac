// `weir -t --diff`: which clients would come to another peer if the running weir took this
// configuration. Asks it over its Unix socket and changes nothing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"
#include "discovery/static.h"

namespace weir::main {

// Writes a few lines for each upstream to standard output, what is wrong to standard error.
// `program`: its name in messages. `socket`: the path; empty: the configuration has none. The exit
// status: 1 if there is nothing to compare with.
[[nodiscard]] int diff(const std::string& program, const config::Model& model,
                       const std::string& socket);

// The lines for `running`, the JSON that /api/status gives. False: it is none, and `out` says why.
[[nodiscard]] bool diff_text(std::string_view running, const config::Model& model, std::string& out,
                             const discovery::Resolver& resolver = discovery::ask_name);

}  // namespace weir::main
