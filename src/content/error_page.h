// Pages that weir answers with by itself when the configuration has none. Any thread.
#pragma once

#include <string>

namespace weir::content {

// A small HTML page for a status: "<h1>502 Bad Gateway</h1>".
[[nodiscard]] std::string error_page(int status);

}  // namespace weir::content
