// The log files of a process by path: opened where they are first asked for, or beforehand by a
// process that may do what this one may not. Each user gets a descriptor of its own.
//
// The control thread says which files there are, any thread asks.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/unique_fd.h"

namespace weir {

// Opens `path` to append to; it is made with mode 0644. Empty: errno says why.
[[nodiscard]] UniqueFd open_log_file(const std::string& path);

class LogFiles {
 public:
  using Map = std::map<std::string, std::shared_ptr<const UniqueFd>>;

  // From now on `files` are what their paths stand for. Returns what was before.
  Map exchange(Map files);
  // A descriptor for `path`; "stderr" is the one of that name in the map, else the process's own.
  // Files that are not in the map are opened. Empty: errno says why.
  [[nodiscard]] UniqueFd open(const std::string& path) const;
  // Whether somebody may complain now that a log cannot be written: once a minute, all threads
  // together.
  [[nodiscard]] bool may_complain(TimePoint now) const;

 private:
  mutable std::atomic<TimePoint::rep> last_complaint_{TimePoint::min().time_since_epoch().count()};
  mutable std::mutex mutex_;
  Map files_;
};

}  // namespace weir
