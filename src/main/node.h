// `weir node`: holds a worker ID for a command, and publishes where it is. Main thread of its own
// process.
#pragma once

namespace weir::main {

// The arguments begin with "node". Returns the exit status.
[[nodiscard]] int node_command(int count, char** arguments);

}  // namespace weir::main
