// The file that tells others the number of the main process: it appears when all listens, complete,
// and goes when the process does. One thread.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace weir::main {

class PidFile {
 public:
  PidFile() = default;
  ~PidFile() { remove(); }
  PidFile(const PidFile&) = delete;
  PidFile& operator=(const PidFile&) = delete;

  // Writes the number of this process. Empty, or what is wrong.
  [[nodiscard]] std::string write(const std::string& path);
  // The same under another path; on failure the old one stays.
  [[nodiscard]] std::string move_to(const std::string& path);
  // Gives way to the one of a new binary: PATH.oldbin. And back.
  [[nodiscard]] std::string step_aside();
  [[nodiscard]] std::string come_back();
  // Not if another process has written its own number there.
  void remove();

  // The number in a file; nullopt: `error` says why.
  [[nodiscard]] static std::optional<pid_t> read(const std::string& path, std::string& error);

 private:
  [[nodiscard]] std::string rename_to(const std::string& path);

  std::string path_;  // as it is now; empty: none
  std::string usual_;
};

}  // namespace weir::main
