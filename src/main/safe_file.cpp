#include "main/safe_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string_view>

#include "base/unique_fd.h"
#include "net/socket.h"

namespace weir::main {
namespace {

std::string failed(const char* call, const std::string& path) {
  return std::string(call) + " \"" + path + "\" failed " + net::errno_text(errno);
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

std::string write_safely(const std::string& path, const std::string& text) {
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

}  // namespace weir::main
