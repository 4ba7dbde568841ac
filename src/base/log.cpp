#include "base/log.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "base/log_files.h"
#include "base/mask.h"

namespace weir {
namespace {

constexpr std::size_t kMaxLine = 4096;
constexpr const char* kStderr = "stderr";

const LogFiles& by_path() {
  static const LogFiles files;
  return files;
}

}  // namespace

std::string_view to_string(LogLevel level) {
  static constexpr std::array<std::string_view, 8> names = {"debug", "info", "notice", "warn",
                                                            "error", "crit", "alert",  "emerg"};
  return names[static_cast<std::size_t>(level)];
}

Log::Log() : Log(by_path()) {}

Log::Log(const LogFiles& files) : sources_(files), lowest_(LogLevel::notice) {
  files_.push_back({{kStderr, LogLevel::notice, {}}, files.open(kStderr), nullptr});
}

std::string Log::configure(const std::vector<Target>& targets) {
  std::vector<File> opened;
  for (const auto& target : targets) {
    if (target.syslog) {
      opened.push_back({target, {}, std::make_unique<SyslogSender>(*target.syslog)});
      continue;
    }
    auto fd = sources_.open(target.path);
    if (!fd) return "cannot open \"" + target.path + "\": " + std::strerror(errno);
    opened.push_back({target, std::move(fd), nullptr});
  }
  auto lowest = LogLevel::emerg;
  for (const auto& target : targets) lowest = std::min(lowest, target.level);
  const std::lock_guard lock(mutex_);
  files_.swap(opened);
  lowest_.store(lowest, std::memory_order_relaxed);
  return {};
}

void Log::reopen() {
  const std::lock_guard lock(mutex_);
  for (auto& file : files_) {
    if (file.syslog != nullptr) continue;
    if (auto fd = sources_.open(file.target.path)) file.fd = std::move(fd);
  }
}

void Log::redirect_stderr() const {
  const std::lock_guard lock(mutex_);
  const File* to = nullptr;
  for (const auto& file : files_) {
    if (file.syslog != nullptr) continue;
    if (to == nullptr || file.target.path == kStderr) to = &file;
  }
  if (to != nullptr) ::dup2(to->fd.get(), STDERR_FILENO);
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
  std::string masked;
  if (has_password(text)) text = masked = mask_passwords(text);
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
    if (file.syslog != nullptr) {
      const auto severity = static_cast<unsigned>(LogLevel::emerg) - static_cast<unsigned>(level);
      if (!file.syslog->send(severity, {line.data(), size - 1})) {
        lost_.fetch_add(1, std::memory_order_relaxed);
      }
      continue;
    }
    if (::write(file.fd.get(), line.data(), size) != static_cast<ssize_t>(size)) {
      lost_.fetch_add(1, std::memory_order_relaxed);
    }
  }
}

}  // namespace weir
