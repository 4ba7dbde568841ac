// Paths of the file system that requests are for: nginx's root and alias, and opening them.
#pragma once

#include <sys/stat.h>

#include <string>
#include <string_view>

#include "base/unique_fd.h"

namespace weir::proxy {

class Exchange;

// Appends the file of `path` below the location's root or alias; `root_size` is the length of the
// part that the configuration gave. False: the configured text holds what no path may.
[[nodiscard]] bool map_path(Exchange& x, std::string_view path, std::string& out,
                            std::size_t& root_size);

// Opens `path` for reading. On failure the file is not open and errno says why; ELOOP: a symbolic
// link that `disable_symlinks` forbids.
[[nodiscard]] UniqueFd open_file(Exchange& x, const std::string& path, std::size_t root_size,
                                 struct stat& info);
// The same without opening, for try_files and index.
[[nodiscard]] bool stat_file(Exchange& x, const std::string& path, std::size_t root_size,
                             struct stat& info);

}  // namespace weir::proxy
