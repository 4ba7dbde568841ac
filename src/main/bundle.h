// All that was read for one configuration: files and what patterns of `include` matched. Recorded
// where it is read, replayed where it may not be. Written by one thread, then constant.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/load.h"

namespace weir::main {

class Bundle {
 public:
  struct File {
    std::string path;
    std::string content;
    std::string error;    // not empty: it could not be read
    bool secret = false;  // a key, or what goes with one: shown to nobody
    // What it held when it could last be used, of a file that weir keeps itself and that is lost;
    // empty: that is not known.
    std::string before = {};
  };
  using Patterns = std::map<std::string, std::vector<std::string>>;

  void add(File file);
  // Of a file that was added; false: none has been.
  bool set_before(const std::string& path, const std::string& content);
  // Null: it was not read.
  [[nodiscard]] const File* find(const std::string& path) const;
  // Each once, in the order first read.
  [[nodiscard]] const std::vector<File>& files() const { return files_; }
  [[nodiscard]] const Patterns& patterns() const { return patterns_; }
  Patterns& patterns() { return patterns_; }

 private:
  std::vector<File> files_;
  std::map<std::string, std::size_t> index_;
  Patterns patterns_;
};

// `options` with hooks that read the file system and note all in `bundle`.
// What is lost is known from `before`, the configuration in force; null: there is none.
[[nodiscard]] config::LoadOptions recording(const config::LoadOptions& options,
                                            std::shared_ptr<Bundle> bundle,
                                            std::shared_ptr<const Bundle> before = nullptr);
// `options` with hooks that know nothing but `bundle`.
[[nodiscard]] config::LoadOptions replaying(const config::LoadOptions& options,
                                            std::shared_ptr<const Bundle> bundle);

// `bundle` with `content` in a file that is in it; itself, if it is not or has that already.
[[nodiscard]] std::shared_ptr<const Bundle> with_content(std::shared_ptr<const Bundle> bundle,
                                                         const std::string& path,
                                                         const std::string& content);

}  // namespace weir::main
