#include "proxy/access_log.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "content/compress.h"
#include "proxy/log_target.h"

namespace weir::proxy {
namespace {

// What a disk that takes nothing may hold back before lines are given up.
constexpr std::size_t kMaxHeld = 1u << 20;

}  // namespace

AccessLogs::~AccessLogs() {
  for (auto& [path, file] : files_) {
    if (!file->text.empty()) write(*file);
  }
}

std::string& AccessLogs::line(const config::AccessLog& log, const std::string& path,
                              TimePoint now) {
  if (log.syslog) {
    syslog_ = &log;
    syslog_text_.clear();
    return syslog_text_;
  }
  syslog_ = nullptr;
  auto& file = files_[path];
  if (file == nullptr) {
    file = std::make_unique<File>();
    file->path = path;
    file->fd = sources_.open(path);
    if (!file->fd) file->open_error = errno;
  }
  current_ = file.get();
  file->buffer = log.buffer;
  file->flush = log.flush;
  file->gzip = log.gzip;
  file->transient = !log.path.is_constant();
  if (file->text.empty()) {
    file->oldest = now;
    dirty_.push_back(file.get());
  }
  return file->text;
}

void AccessLogs::end_line() {
  if (syslog_ == nullptr) {
    current_->text.push_back('\n');
    return;
  }
  const auto target = syslog_target(*syslog_->syslog);
  auto found = std::find_if(senders_.begin(), senders_.end(),
                            [&](const auto& sender) { return sender.first == target; });
  if (found == senders_.end()) {
    senders_.emplace_back(target, std::make_unique<SyslogSender>(target));
    found = senders_.end() - 1;
  }
  if (!found->second->send(syslog_->syslog->severity, syslog_text_)) lost_.add();
}

// A buffer becomes a gzip member of its own: members one after the other are a gzip file.
void AccessLogs::compress(File& file) {
  const auto compressor = content::make_gzip({file.gzip, 15, 8}, file.text.size());
  std::string packed;
  if (compressor == nullptr ||
      !compressor->write(file.text, content::Compressor::Flush::finish, packed)) {
    return;
  }
  file.text = std::move(packed);
}

void AccessLogs::write(File& file) {
  const auto lines =
      static_cast<std::uint64_t>(std::count(file.text.begin(), file.text.end(), '\n'));
  if (file.gzip > 0) compress(file);
  const auto n = ::write(file.fd.get(), file.text.data(), file.text.size());
  if (n == static_cast<ssize_t>(file.text.size())) {
    file.text.clear();
    return;
  }
  const int error = !file.fd ? file.open_error : n < 0 ? errno : ENOSPC;
  if (n > 0 && file.gzip == 0) file.text.erase(0, static_cast<std::size_t>(n));
  // Part of a gzip member cannot be kept beside other text.
  if (file.text.size() > kMaxHeld || !file.fd || file.gzip > 0) {
    lost_.add(lines);
    file.text.clear();
  }
  const auto now = SystemClock().now();
  if (!sources_.may_complain(now)) return;
  errors_.write(file.fd ? LogLevel::alert : LogLevel::crit,
                "cannot write access log \"" + file.path + "\": " + std::strerror(error) +
                    "; lines are kept up to 1 MiB, then given up");
}

void AccessLogs::flush(TimePoint now, bool all) {
  if (dirty_.empty()) return;
  std::erase_if(dirty_, [&](File* file) {
    const bool due = all || file->text.size() >= file->buffer ||
                     (file->flush.count() > 0 && now - file->oldest >= file->flush);
    if (due) write(*file);
    if (!file->text.empty()) return false;
    // Of as many as there are values of its variables: none stays open.
    if (file->transient) {
      const std::string path = file->path;
      files_.erase(path);
    }
    return true;
  });
}

void AccessLogs::reopen() {
  for (auto& [path, file] : files_) {
    if (!file->text.empty()) write(*file);
    if (auto fd = sources_.open(path)) file->fd = std::move(fd);
  }
}

}  // namespace weir::proxy
