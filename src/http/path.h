// The path of a request in its normal form, as nginx matches locations on it, and back. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace weir::http {

// Decodes %HH, merges slashes if told to, resolves "." and ".." segments. `raw` begins with '/' and
// has no query. False: a bad escape, %00, or a way above the root.
[[nodiscard]] bool normalize_path(std::string_view raw, bool merge_slashes, std::string& out);

// Appends `path` with what may not stand in a request target escaped again.
void escape_uri(std::string_view path, std::string& out);

}  // namespace weir::http
