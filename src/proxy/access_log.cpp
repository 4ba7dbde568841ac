#include "proxy/access_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace weir::proxy {
namespace {

// What a disk that takes nothing may hold back before lines are given up.
constexpr std::size_t kMaxHeld = 1u << 20;
constexpr Duration kComplainEvery = std::chrono::minutes{1};

int open_log(const std::string& path) {
  return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
}

}  // namespace

AccessLogs::~AccessLogs() {
  for (auto& [path, file] : files_) {
    if (!file->text.empty()) write(*file);
    if (file->fd >= 0) ::close(file->fd);
  }
}

std::string& AccessLogs::line(const config::AccessLog& log, TimePoint now) {
  auto& file = files_[log.path];
  if (file == nullptr) {
    file = std::make_unique<File>();
    file->path = log.path;
    file->fd = open_log(log.path);
  }
  file->buffer = log.buffer;
  file->flush = log.flush;
  if (file->text.empty()) {
    file->oldest = now;
    dirty_.push_back(file.get());
  }
  return file->text;
}

void AccessLogs::write(File& file) {
  const auto n = ::write(file.fd, file.text.data(), file.text.size());
  if (n == static_cast<ssize_t>(file.text.size())) {
    file.text.clear();
    return;
  }
  const int error = n < 0 ? errno : ENOSPC;
  if (n > 0) file.text.erase(0, static_cast<std::size_t>(n));
  if (file.text.size() > kMaxHeld || file.fd < 0) {
    lost_.add(static_cast<std::uint64_t>(std::count(file.text.begin(), file.text.end(), '\n')));
    file.text.clear();
  }
  const auto now = SystemClock().now();
  if (now - last_complaint_ < kComplainEvery) return;
  last_complaint_ = now;
  errors_.write(LogLevel::alert, "cannot write access log \"" + file.path +
                                     "\": " + std::strerror(error) +
                                     "; lines are kept up to 1 MiB, then given up");
}

void AccessLogs::flush(TimePoint now, bool all) {
  if (dirty_.empty()) return;
  std::erase_if(dirty_, [&](File* file) {
    const bool due = all || file->text.size() >= file->buffer ||
                     (file->flush.count() > 0 && now - file->oldest >= file->flush);
    if (due) write(*file);
    return file->text.empty();
  });
}

void AccessLogs::reopen() {
  for (auto& [path, file] : files_) {
    if (!file->text.empty()) write(*file);
    const int fd = open_log(path);
    if (fd < 0) continue;
    if (file->fd >= 0) ::close(file->fd);
    file->fd = fd;
  }
}

std::string AccessLogs::check(const config::Model& model) {
  std::vector<const config::Location*> todo;
  for (const auto& server : model.servers) todo.push_back(server->root.get());
  while (!todo.empty()) {
    const auto* location = todo.back();
    todo.pop_back();
    for (const auto& log : location->request.access_logs) {
      const int fd = open_log(log.path);
      if (fd < 0) {
        return log.position.text() + ": access_log: cannot open \"" + log.path +
               "\": " + std::strerror(errno);
      }
      ::close(fd);
    }
    for (const auto& child : location->nested) todo.push_back(child.get());
  }
  return {};
}

}  // namespace weir::proxy
