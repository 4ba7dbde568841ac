// The log files that a configuration writes to: whoever runs it opens them all beforehand. Values;
// any thread.
#pragma once

#include <string>
#include <vector>

#include "config/model.h"

namespace weir::config {

struct LogPath {
  std::string path;
  std::string directive;  // that names it first
  Position position;      // of it; no line: the path is a default that nobody wrote
};

// Each file once, in the order of the model; no "stderr".
[[nodiscard]] std::vector<LogPath> log_paths(const Model& model);

}  // namespace weir::config
