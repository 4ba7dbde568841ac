// Collects what is wrong with a configuration, up to a number of errors that a reader can use.
// Owned by one load; its thread only.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/load.h"

namespace weir::config {

class Diagnostics {
 public:
  static constexpr std::size_t kMaxErrors = 20;
  static constexpr std::size_t kMaxWarnings = 100;

  void error(const Position& position, std::string message);
  void warning(const Position& position, std::string message);

  [[nodiscard]] bool failed() const { return errors_ > 0; }
  // So many errors that looking for more is of no use.
  [[nodiscard]] bool full() const { return errors_ >= kMaxErrors; }
  // So many warnings that further ones are dropped.
  [[nodiscard]] bool warned_enough() const { return list_.size() - errors_ >= kMaxWarnings; }
  [[nodiscard]] std::vector<Diagnostic> take() { return std::move(list_); }

 private:
  std::vector<Diagnostic> list_;
  std::size_t errors_ = 0;
};

}  // namespace weir::config
