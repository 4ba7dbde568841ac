// The command of `weir node`: a process group of its own, which is told to end as a whole, and ends
// when `weir node` is killed. One thread.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace weir::main {

class NodeProcess {
 public:
  // Runs `command` with NAME=VALUE in its environment. Not empty: what went wrong.
  [[nodiscard]] std::string start(const std::vector<std::string>& command, const std::string& name,
                                  const std::string& value);
  [[nodiscard]] bool running() const { return pid_ > 0; }
  void signal(int number) const;
  // To be called after SIGCHLD; also takes what others have left behind (we may be process 1).
  // True: the command has ended, and status() tells how.
  [[nodiscard]] bool reap();
  // As a shell tells it: 128 and the number of the signal that ended it.
  [[nodiscard]] int status() const { return status_; }

 private:
  pid_t pid_ = 0;
  int status_ = 0;
};

}  // namespace weir::main
