// A configuration in YAML that means the same: what `weir convert` writes. One thread.
#pragma once

#include <string>
#include <vector>

#include "config/load.h"

namespace weir::config {

struct ConvertResult {
  bool ok = false;
  std::string yaml;                     // if ok
  std::vector<Diagnostic> diagnostics;  // of the file, and what YAML cannot say
};

// The file at `path` with all that it includes. The result has been read again and compared: it
// makes the same model.
[[nodiscard]] ConvertResult convert(const std::string& path, const LoadOptions& options);

// The same from text; `name` stands for the file.
[[nodiscard]] ConvertResult convert_text(const std::string& name, const std::string& text,
                                         const LoadOptions& options);

}  // namespace weir::config
