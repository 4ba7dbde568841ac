// Temporary files: what does not fit into memory of bodies on their way. Any thread.
#pragma once

#include <string>

namespace weir::proxy {

// A file without a name in `directory` (empty: $TMPDIR, or /tmp): it goes when it is closed,
// whatever happens to the process. -1: errno says why.
[[nodiscard]] int open_unnamed_file(const std::string& directory);

// A file with a name of its own in `directory`, which is put into `path`. -1: errno says why.
[[nodiscard]] int open_named_file(const std::string& directory, std::string& path);

}  // namespace weir::proxy
