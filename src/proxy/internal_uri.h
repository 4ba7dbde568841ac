// URIs that an answer names, for weir to answer in its place or within it: X-Accel-Redirect,
// includes of pages. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace weir::proxy {

// Takes it apart into its path, without escapes, and its query. False: the path does not begin at
// the root, leads above it, or has a NUL in it.
[[nodiscard]] bool parse_internal_uri(std::string_view uri, std::string& path, std::string& args);

}  // namespace weir::proxy
