// Access logs of a worker: lines are gathered and written with one write(2) a file, at the end of
// each loop turn, or when the buffer that the configuration asks for is full or old.
// One worker; files are opened to append to, so that the workers' lines do not mix.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/log_files.h"
#include "base/syslog.h"
#include "config/model.h"
#include "proxy/stats.h"

namespace weir::proxy {

class AccessLogs {
 public:
  AccessLogs(Log& errors, Counter& lost, const LogFiles& files)
      : errors_(errors), lost_(lost), sources_(files) {}
  ~AccessLogs();
  AccessLogs(const AccessLogs&) = delete;
  AccessLogs& operator=(const AccessLogs&) = delete;

  // The buffer that a line is appended to, and ended with end_line(). `path`: evaluated; without
  // meaning for syslog.
  [[nodiscard]] std::string& line(const config::AccessLog& log, const std::string& path,
                                  TimePoint now);
  void end_line();
  // Writes what is due. `all`: also what buffers hold back.
  void flush(TimePoint now, bool all);
  void reopen();
  // Lines are waiting: flush() must be called again within a second.
  [[nodiscard]] bool waiting() const { return !dirty_.empty(); }

 private:
  struct File {
    std::string path;
    UniqueFd fd;
    int open_error = 0;  // why there is none
    std::string text;
    std::uint64_t buffer = 0;
    int gzip = 0;
    bool transient = false;  // its path has variables
    Duration flush{0};
    TimePoint oldest;
  };
  void write(File& file);
  static void compress(File& file);

  Log& errors_;
  Counter& lost_;
  const LogFiles& sources_;
  std::unordered_map<std::string, std::unique_ptr<File>> files_;
  std::vector<File*> dirty_;
  File* current_ = nullptr;                    // whose line is being written
  const config::AccessLog* syslog_ = nullptr;  // or that of a line for syslog
  std::string syslog_text_;
  std::vector<std::pair<SyslogTarget, std::unique_ptr<SyslogSender>>> senders_;
};

}  // namespace weir::proxy
