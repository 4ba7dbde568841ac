#include "proxy/temp_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace weir::proxy {
namespace {

constexpr int kMaxNames = 1000;  // tried before giving up

std::string directory_or_default(const std::string& directory) {
  if (!directory.empty()) return directory;
  const char* configured = std::getenv("TMPDIR");
  return configured != nullptr && *configured != '\0' ? configured : "/tmp";
}

// A directory that is configured and not there is made, as nginx does.
bool make_directory(const std::string& path) { return ::mkdir(path.c_str(), 0700) == 0; }

}  // namespace

int open_named_file(const std::string& directory, std::string& path) {
  static std::atomic<unsigned> next{0};
  const std::string base = directory_or_default(directory);
  for (int i = 0; i <= kMaxNames; ++i) {
    char name[24];
    std::snprintf(name, sizeof name, "/%010u", ++next);
    path = base + name;
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == ENOENT && i == 0 && make_directory(base)) continue;
    if (fd >= 0 || errno != EEXIST) return fd;
  }
  return -1;
}

int open_unnamed_file(const std::string& directory) {
  const std::string base = directory_or_default(directory);
  constexpr int flags = O_TMPFILE | O_RDWR | O_CLOEXEC;
  int fd = ::open(base.c_str(), flags, 0600);
  if (fd < 0 && errno == ENOENT && make_directory(base)) fd = ::open(base.c_str(), flags, 0600);
  if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) return fd;
  // A file system that knows no files without a name.
  std::string path;
  const int named = open_named_file(directory, path);
  if (named >= 0) ::unlink(path.c_str());
  return named;
}

}  // namespace weir::proxy
