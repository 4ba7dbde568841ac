#include "main/pid_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>

#include "base/unique_fd.h"
#include "config/units.h"
#include "net/socket.h"

namespace weir::main {
namespace {

constexpr const char* kOld = ".oldbin";

std::string failed(const char* call, const std::string& path) {
  return std::string(call) + " \"" + path + "\" failed " + net::errno_text(errno);
}

bool write_number(const std::string& path, int flags) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | flags, 0644));
  const auto text = std::to_string(::getpid()) + "\n";
  return fd && ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

}  // namespace

std::string PidFile::write(const std::string& path) {
  // Whoever sees the file may read it at once: it appears complete. Where nothing may be made
  // beside it, it is written in place.
  const auto fresh = path + ".new";
  ::unlink(fresh.c_str());
  const bool beside = write_number(fresh, O_EXCL);
  if (beside && ::rename(fresh.c_str(), path.c_str()) != 0) {
    auto error = failed("rename()", path);
    ::unlink(fresh.c_str());
    return error;
  }
  if (!beside && !write_number(path, 0)) return failed("open()", path);
  path_ = usual_ = path;
  return {};
}

std::string PidFile::move_to(const std::string& path) {
  if (path == path_) return {};
  const auto before = path_;
  if (auto error = write(path); !error.empty()) return error;
  if (!before.empty()) ::unlink(before.c_str());
  return {};
}

std::string PidFile::rename_to(const std::string& path) {
  if (path_.empty()) return {};
  if (::rename(path_.c_str(), path.c_str()) != 0) return failed("rename()", path_);
  path_ = path;
  return {};
}

std::string PidFile::step_aside() { return rename_to(usual_ + kOld); }

std::string PidFile::come_back() { return rename_to(usual_); }

void PidFile::remove() {
  std::string ignored;
  if (!path_.empty() && read(path_, ignored) == ::getpid()) ::unlink(path_.c_str());
  path_.clear();
}

std::optional<pid_t> PidFile::read(const std::string& path, std::string& error) {
  std::ifstream in(path);
  if (!in) {
    error = failed("open()", path);
    return std::nullopt;
  }
  std::string word;
  in >> word;
  const auto number = config::parse_number(word);
  if (!number || *number < 1 || *number > 0x7fffffff) {
    error = "invalid PID number \"" + word.substr(0, 20) + "\" in \"" + path + "\"";
    return std::nullopt;
  }
  return static_cast<pid_t>(*number);
}

}  // namespace weir::main
