// Files that are wholly there or not at all, whatever happens, and that nobody else may read.
#pragma once

#include <string>

namespace weir::main {

// Writes a file anew, mode 0600, and sees to it that it is on the disk. Empty, or what is wrong.
[[nodiscard]] std::string write_safely(const std::string& path, const std::string& text);

}  // namespace weir::main
