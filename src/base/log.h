// The error log: nginx's line format, levels, several files, reopening.
//
// Any thread may log; a line is one write(2) to a file opened with O_APPEND, so lines of several
// threads do not mix. Configured and reopened by the control thread. main() owns it.
// Files are opened by way of LogFiles.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/syslog.h"
#include "base/unique_fd.h"

namespace weir {

class LogFiles;

enum class LogLevel : std::uint8_t { debug, info, notice, warn, error, crit, alert, emerg };
[[nodiscard]] std::string_view to_string(LogLevel level);

class Log {
 public:
  struct Target {
    std::string path;  // "stderr" is the process's own
    LogLevel level = LogLevel::error;
    std::optional<SyslogTarget> syslog = {};  // then `path` has no meaning
    friend bool operator==(const Target&, const Target&) = default;
  };

  // Writes to standard error until it is configured. `files` must outlive it; without them files
  // are opened by their paths.
  Log();
  explicit Log(const LogFiles& files);
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // Opens `targets`; on failure nothing changes and the text says which file and why.
  [[nodiscard]] std::string configure(const std::vector<Target>& targets);
  // Opens all files again (after log rotation). A file that cannot be opened keeps its descriptor.
  void reopen();
  // Lets standard error lead to the first file, for what libraries and sanitizers print; or, if
  // one of the targets is "stderr", to that.
  void redirect_stderr() const;

  [[nodiscard]] bool enabled(LogLevel level) const {
    return level >= lowest_.load(std::memory_order_relaxed);
  }
  // Writes "2026/01/31 12:00:00 [error] PID#0: *CONNECTION text". connection 0: left out.
  void write(LogLevel level, std::string_view text, std::uint64_t connection = 0);

  void error(std::string_view text) { write(LogLevel::error, text); }
  void warn(std::string_view text) { write(LogLevel::warn, text); }
  void notice(std::string_view text) { write(LogLevel::notice, text); }

  // Lines that could not be written (disk full, for example) since the start.
  [[nodiscard]] std::uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

 private:
  struct File {
    Target target;
    UniqueFd fd;
    std::unique_ptr<SyslogSender> syslog;
  };
  const LogFiles& sources_;
  mutable std::mutex mutex_;  // guards files_ against reopening; held for one write
  std::vector<File> files_;
  std::atomic<LogLevel> lowest_;
  std::atomic<std::uint64_t> lost_{0};
};

}  // namespace weir
