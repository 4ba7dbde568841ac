// From a file to a model: read, parse either syntax (told by the content), check, compile.
// One thread (the control thread, or main at start). Opens files named by `include`; no sockets.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/model.h"

namespace weir::config {

struct Diagnostic {
  enum class Severity : std::uint8_t { note, warning, error };
  Severity severity = Severity::error;
  Position position;
  std::string message;  // "directive: what is wrong; what to do"
  // "file:line:col: error: message".
  [[nodiscard]] std::string text() const;
};

struct LoadResult {
  std::shared_ptr<const Model> model;   // null if there is an error
  std::vector<Diagnostic> diagnostics;  // in order; errors, warnings
};

struct LoadOptions {
  std::string prefix = "/etc/weir/";  // base of relative log and pid paths; ends with '/'
  std::string global_directives;      // -g: nginx syntax, in main context
  // Reads a file; replaced by tests. False if it can't be read; `error` says why.
  // Empty: the file system.
  std::function<bool(const std::string& path, std::string& content, std::string& error)> read_file;
  // The paths that match a pattern of `include`, sorted. Empty: the file system.
  std::function<std::vector<std::string>(const std::string& pattern)> glob;
};

// Loads the configuration file at `path`. Never throws on bad input.
[[nodiscard]] LoadResult load(const std::string& path, const LoadOptions& options);

// The same from text; `name` stands for the file in messages.
[[nodiscard]] LoadResult load_text(const std::string& name, const std::string& text,
                                   const LoadOptions& options);

}  // namespace weir::config
