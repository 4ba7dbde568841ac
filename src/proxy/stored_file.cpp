#include "proxy/stored_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "proxy/temp_file.h"

namespace weir::proxy {
namespace {

constexpr std::size_t kPiece = 64 * 1024;

// The directories of `path`. Who may read a file may enter them.
bool make_directories(const std::string& path, mode_t access) {
  const mode_t mode = access | ((access & 0444) >> 2);
  for (auto slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    const std::string directory = path.substr(0, slash);
    if (::mkdir(directory.c_str(), mode) == 0) {
      // Whatever the process's mask says.
      if (::chmod(directory.c_str(), mode) != 0) return false;
    } else if (errno != EEXIST) {
      return false;
    }
  }
  return true;
}

bool write_all(int file, const char* data, std::size_t size) {
  while (size > 0) {
    const auto n = ::write(file, data, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    data += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

void set_time(int file, std::optional<std::time_t> modified) {
  if (!modified) return;
  timespec times[2] = {};
  times[0].tv_nsec = UTIME_NOW;
  times[1].tv_sec = *modified;
  ::futimens(file, times);
}

}  // namespace

StoredFile::StoredFile(const std::string& directory) {
  file_ = UniqueFd(open_named_file(directory, name_));
  if (file_) return;
  error_ = errno;
  name_.clear();
}

StoredFile::~StoredFile() {
  if (!name_.empty()) ::unlink(name_.c_str());
}

void StoredFile::write(std::string_view bytes) {
  if (error_ == 0 && !write_all(file_.get(), bytes.data(), bytes.size())) error_ = errno;
}

int StoredFile::keep(const std::string& path, mode_t access, std::optional<std::time_t> modified) {
  if (error_ != 0) return error_;
  if (::fchmod(file_.get(), access) != 0) return errno;
  set_time(file_.get(), modified);
  if (::rename(name_.c_str(), path.c_str()) != 0) {
    if (errno == ENOENT) {
      if (!make_directories(path, access)) return errno;
      errno = ::rename(name_.c_str(), path.c_str()) == 0 ? 0 : errno;
    }
    if (errno == EXDEV) return copy(path, access);
    if (errno != 0) return errno;
  }
  name_.clear();
  return 0;
}

// To another file system: there too it is complete when it gets its name.
int StoredFile::copy(const std::string& path, mode_t access) const {
  std::string beside;
  const auto slash = path.rfind('/');
  const UniqueFd to(
      open_named_file(path.substr(0, slash == std::string::npos ? 0 : slash), beside));
  if (!to) return errno;
  struct stat info {};
  char piece[kPiece];
  off_t at = 0;
  int error = 0;
  for (;;) {
    const auto n = ::pread(file_.get(), piece, sizeof piece, at);
    if (n == 0) break;
    if (n < 0 || !write_all(to.get(), piece, static_cast<std::size_t>(n))) {
      error = errno;
      break;
    }
    at += n;
  }
  if (error == 0 && ::fchmod(to.get(), access) != 0) error = errno;
  if (error == 0 && ::fstat(file_.get(), &info) == 0) set_time(to.get(), info.st_mtime);
  if (error == 0 && ::rename(beside.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) ::unlink(beside.c_str());
  return error;
}

}  // namespace weir::proxy
