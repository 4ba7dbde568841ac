// Access logs of a worker: lines are gathered and written with one write(2) a file, at the end of
// each loop turn, or when the buffer that the configuration asks for is full or old.
// One worker; files are opened with O_APPEND, so that the workers' lines do not mix.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "config/model.h"
#include "proxy/stats.h"

namespace weir::proxy {

class AccessLogs {
 public:
  AccessLogs(Log& errors, Counter& lost) : errors_(errors), lost_(lost) {}
  ~AccessLogs();
  AccessLogs(const AccessLogs&) = delete;
  AccessLogs& operator=(const AccessLogs&) = delete;

  // The buffer that a line is appended to; ends it with commit().
  [[nodiscard]] std::string& line(const config::AccessLog& log, TimePoint now);
  // Writes what is due. `all`: also what buffers hold back.
  void flush(TimePoint now, bool all);
  void reopen();
  // Lines are waiting: flush() must be called again within a second.
  [[nodiscard]] bool waiting() const { return !dirty_.empty(); }

  // Whether every file can be opened; else says which cannot and why.
  [[nodiscard]] static std::string check(const config::Model& model);

 private:
  struct File {
    std::string path;
    int fd = -1;
    std::string text;
    std::uint64_t buffer = 0;
    Duration flush{0};
    TimePoint oldest;
  };
  void write(File& file);

  Log& errors_;
  Counter& lost_;
  std::unordered_map<std::string, std::unique_ptr<File>> files_;
  std::vector<File*> dirty_;
  TimePoint last_complaint_{};
};

}  // namespace weir::proxy
