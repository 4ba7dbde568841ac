#include "main/state_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/unique_fd.h"
#include "main/safe_file.h"
#include "net/socket.h"

namespace weir::main {
namespace {

constexpr std::size_t kMost = 4u << 20;  // bytes

std::string failed(const char* call, const std::string& path) {
  return "state_file: " + std::string(call) + " \"" + path + "\" failed " + net::errno_text(errno);
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
  const auto error = write_safely(path, text);
  return error.empty() ? error : "state_file: " + error;
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
