// The files of one configuration: reads them through LoadOptions, resolves relative names and
// globs, and bounds what a configuration may pull in. Owned by one load; its thread only.
#pragma once

#include <string>
#include <vector>

#include "config/load.h"

namespace weir::config {

class Sources {
 public:
  static constexpr std::size_t kMaxFileSize = 16u << 20;  // bytes
  static constexpr std::size_t kMaxFiles = 2000;
  static constexpr std::size_t kMaxIncludeDepth = 20;
  static constexpr std::size_t kMaxDirectives = 500000;
  static constexpr std::size_t kMaxNesting = 60;  // blocks in blocks

  Sources(const LoadOptions& options, const std::string& main_path);

  // The files that an `include NAME` means: relative names are relative to the directory of the
  // main file, as in nginx. A pattern that matches nothing gives an empty list; a plain name
  // itself.
  [[nodiscard]] std::vector<std::string> expand(const std::string& name) const;

  // False if the file can't be had; `error` says why.
  bool read(const std::string& path, std::string& content, std::string& error);

  // Of the main file; ends with '/' unless empty.
  [[nodiscard]] const std::string& directory() const { return directory_; }

  // Counts one more directive; false when there are too many.
  bool count_directive() { return ++directives_ <= kMaxDirectives; }

 private:
  const LoadOptions& options_;
  std::string directory_;  // of the main file; ends with '/' unless empty
  std::size_t files_ = 0;
  std::size_t directives_ = 0;
};

}  // namespace weir::config
