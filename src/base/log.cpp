#include "base/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

namespace weir {
namespace {

constexpr std::size_t kMaxLine = 4096;

int open_target(const Log::Target& target) {
  if (target.path == "stderr") return STDERR_FILENO;
  return ::open(target.path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
}

void close_target(int fd) {
  if (fd > STDERR_FILENO) ::close(fd);
}

}  // namespace

std::string_view to_string(LogLevel level) {
  static constexpr std::array<std::string_view, 8> names = {"debug", "info", "notice", "warn",
                                                            "error", "crit", "alert",  "emerg"};
  return names[static_cast<std::size_t>(level)];
}

Log::Log() : lowest_(LogLevel::notice) {
  files_.push_back({{"stderr", LogLevel::notice}, STDERR_FILENO});
}

Log::~Log() {
  for (const auto& file : files_) close_target(file.fd);
}

std::string Log::configure(const std::vector<Target>& targets) {
  std::vector<File> opened;
  for (const auto& target : targets) {
    const int fd = open_target(target);
    if (fd < 0) {
      std::string error = "cannot open \"" + target.path + "\": " + std::strerror(errno);
      for (const auto& file : opened) close_target(file.fd);
      return error;
    }
    opened.push_back({target, fd});
  }
  auto lowest = LogLevel::emerg;
  for (const auto& target : targets) lowest = std::min(lowest, target.level);
  const std::lock_guard lock(mutex_);
  files_.swap(opened);
  lowest_.store(lowest, std::memory_order_relaxed);
  for (const auto& file : opened) close_target(file.fd);
  return {};
}

void Log::reopen() {
  const std::lock_guard lock(mutex_);
  for (auto& file : files_) {
    const int fd = open_target(file.target);
    if (fd < 0) continue;
    close_target(file.fd);
    file.fd = fd;
  }
}

void Log::write(LogLevel level, std::string_view text, std::uint64_t connection) {
  if (!enabled(level)) return;
  std::array<char, kMaxLine> line;
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  auto size = std::strftime(line.data(), line.size(), "%Y/%m/%d %H:%M:%S", &local);
  const auto name = to_string(level);
  size += static_cast<std::size_t>(std::snprintf(line.data() + size, line.size() - size,
                                                 " [%.*s] %d#0: ", static_cast<int>(name.size()),
                                                 name.data(), static_cast<int>(::getpid())));
  if (connection != 0) {
    size += static_cast<std::size_t>(std::snprintf(line.data() + size, line.size() - size, "*%llu ",
                                                   static_cast<unsigned long long>(connection)));
  }
  // Control characters, which requests may bring, must not make lines of their own.
  static constexpr char hex[] = "0123456789ABCDEF";
  for (const char c : text) {
    if (size + 5 > line.size()) break;
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      line[size++] = c;
      continue;
    }
    line[size++] = '\\';
    line[size++] = 'x';
    line[size++] = hex[byte >> 4];
    line[size++] = hex[byte & 15];
  }
  line[size++] = '\n';

  const std::lock_guard lock(mutex_);
  for (const auto& file : files_) {
    if (level < file.target.level) continue;
    if (::write(file.fd, line.data(), size) != static_cast<ssize_t>(size)) {
      lost_.fetch_add(1, std::memory_order_relaxed);
    }
  }
}

}  // namespace weir
