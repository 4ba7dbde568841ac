#include "main/state_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/unique_fd.h"
#include "net/socket.h"

namespace weir::main {
namespace {

constexpr std::size_t kMost = 4u << 20;  // bytes

std::string failed(const char* call, const std::string& path) {
  return "state_file: " + std::string(call) + " \"" + path + "\" failed " + net::errno_text(errno);
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

// The entry of a file in its directory.
void sync_directory(const std::string& path) {
  const auto slash = path.rfind('/');
  const auto directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd) ::fsync(fd.get());
}

}  // namespace

std::string read_state_file(const std::string& path, std::string& error) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0) {
    if (errno != ENOENT) error = failed("open()", path);
    return {};
  }
  if (!S_ISREG(info.st_mode) || static_cast<std::size_t>(info.st_size) > kMost) {
    error = "state_file: \"" + path + "\" is no file of weir's";
    return {};
  }
  std::string text(static_cast<std::size_t>(info.st_size), '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const auto n = ::read(fd.get(), text.data() + have, text.size() - have);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) error = failed("read()", path);
    if (n <= 0) break;
    have += static_cast<std::size_t>(n);
  }
  text.resize(error.empty() ? have : 0);
  return text;
}

std::string write_state_file(const std::string& path, const std::string& text) {
  if (text.empty()) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return failed("unlink()", path);
    return {};
  }
  if (text.size() > kMost) return "state_file: there is too much to keep in \"" + path + "\"";
  const auto fresh = path + ".new";
  ::unlink(fresh.c_str());
  UniqueFd fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) return failed("open()", fresh);
  std::string error;
  if (!write_all(fd.get(), text) || ::fsync(fd.get()) != 0) error = failed("write()", fresh);
  fd.reset();
  if (error.empty() && ::rename(fresh.c_str(), path.c_str()) != 0) error = failed("rename()", path);
  if (!error.empty()) {
    ::unlink(fresh.c_str());
    return error;
  }
  sync_directory(path);
  return {};
}

std::string KeptState::load(const std::string& path) {
  path_ = path;
  std::string error;
  text_ = read_state_file(path_, error);
  return error;
}

std::string KeptState::save(const std::string& text) {
  text_ = text;
  return write_state_file(path_, text_);
}

std::string KeptState::move_to(const std::string& path) {
  if (path_ == path) return {};
  path_ = path;
  return write_state_file(path_, text_);
}

}  // namespace weir::main
