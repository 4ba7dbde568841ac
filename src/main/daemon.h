// Going into the background: the process goes on in a child without a terminal, and the command
// that was called ends when that child is ready, or with an error when it ends before. One thread,
// before there are others.
#pragma once

#include <string>

#include "base/unique_fd.h"

namespace weir::main {

class Daemon {
 public:
  // Returns in the child only; standard input and output are /dev/null there. In the caller: what
  // went wrong.
  [[nodiscard]] std::string begin();
  // The command that was called may end with 0.
  void ready();

 private:
  UniqueFd parent_;
};

}  // namespace weir::main
