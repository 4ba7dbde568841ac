#include "base/log_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace weir {

UniqueFd open_log_file(const std::string& path) {
  return UniqueFd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
}

LogFiles::Map LogFiles::exchange(Map files) {
  const std::lock_guard lock(mutex_);
  return std::exchange(files_, std::move(files));
}

UniqueFd LogFiles::open(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  if (const auto found = files_.find(path); found != files_.end()) {
    return found->second->duplicate();
  }
  if (path == "stderr") return UniqueFd(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  return open_log_file(path);
}

bool LogFiles::may_complain(TimePoint now) const {
  constexpr Duration kEvery = std::chrono::minutes{1};
  auto last = last_complaint_.load(std::memory_order_relaxed);
  const auto time = now.time_since_epoch().count();
  const bool due =
      last == TimePoint::min().time_since_epoch().count() || time - last >= kEvery.count();
  return due && last_complaint_.compare_exchange_strong(last, time, std::memory_order_relaxed);
}

}  // namespace weir
