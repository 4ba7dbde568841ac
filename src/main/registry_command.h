// `weir registry`: shows and changes what nodes have written. Main thread of its own process.
#pragma once

namespace weir::main {

// The arguments begin with "registry". Returns the exit status.
[[nodiscard]] int registry_command(int count, char** arguments);

}  // namespace weir::main
