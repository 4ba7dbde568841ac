#include "proxy/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "proxy/exchange.h"
#include "proxy/variables.h"

namespace weir::proxy {
namespace {

using Deny = config::Symlinks::Deny;

// Opens `path` component by component behind its first `trusted` bytes, following no link that
// `deny` forbids.
int open_without_links(const std::string& path, std::size_t trusted, Deny deny, int flags) {
  std::size_t at = trusted;
  while (at > 0 && at < path.size() && path[at] != '/') --at;
  std::string base = path.substr(0, at);
  if (base.empty()) base = "/";
  int dir = ::open(base.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  while (dir >= 0) {
    while (at < path.size() && path[at] == '/') ++at;
    const auto end = std::min(path.find('/', at), path.size());
    const std::string name = at == path.size() ? "." : path.substr(at, end - at);
    const bool last = end >= path.size() || path.find_first_not_of('/', end) == std::string::npos;
    int next =
        ::openat(dir, name.c_str(), (last ? flags : O_PATH | O_DIRECTORY) | O_NOFOLLOW | O_CLOEXEC);
    if (next < 0 && (errno == ELOOP || errno == ENOTDIR) && deny == Deny::if_not_owner) {
      // A link passes if it and what it points to have one owner.
      struct stat link {};
      struct stat target {};
      if (::fstatat(dir, name.c_str(), &link, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(link.st_mode) &&
          ::fstatat(dir, name.c_str(), &target, 0) == 0 && link.st_uid == target.st_uid) {
        next = ::openat(dir, name.c_str(), (last ? flags : O_PATH | O_DIRECTORY) | O_CLOEXEC);
      } else {
        errno = ELOOP;
      }
    } else if (next < 0 && errno == ENOTDIR) {
      struct stat link {};
      const bool is_link =
          ::fstatat(dir, name.c_str(), &link, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(link.st_mode);
      errno = is_link ? ELOOP : ENOTDIR;
    }
    const int error = errno;
    ::close(dir);
    errno = error;
    if (last || next < 0) return next;
    dir = next;
    at = end;
  }
  return -1;
}

std::size_t trusted_part(Exchange& x, const std::string& path) {
  const auto& from = x.config().disable_symlinks.from;
  if (from.empty()) return 1;
  std::string prefix;
  evaluate(from, x, prefix);
  return path.starts_with(prefix) ? prefix.size() : 1;
}

}  // namespace

bool map_path(Exchange& x, std::string_view path, std::string& out, std::size_t& root_size) {
  const auto& root = x.config().root;
  const auto start = out.size();
  if (root.path.empty()) {
    out.append(x.runtime().model->prefix).append("html");
  } else {
    evaluate(root.path, x, out);
    if (out.size() == start || out[start] != '/') out.insert(start, x.runtime().model->prefix);
    if (!root.alias && out.ends_with('/')) out.pop_back();
  }
  root_size = out.size() - start;
  if (!root.alias) {
    out.append(path);
  } else if (!root.whole) {
    out.append(path.substr(std::min(root.prefix, path.size())));
  }
  return out.find('\0', start) == std::string::npos;
}

UniqueFd open_file(Exchange& x, const std::string& path, std::size_t, struct stat& info) {
  const auto deny = x.config().disable_symlinks.deny;
  // Without blocking, should it be a pipe that nobody writes to.
  constexpr int flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC;
  UniqueFd file(deny == Deny::off ? ::open(path.c_str(), flags)
                                  : open_without_links(path, trusted_part(x, path), deny, flags));
  if (file && ::fstat(file.get(), &info) != 0) return {};
  return file;
}

bool stat_file(Exchange& x, const std::string& path, std::size_t root_size, struct stat& info) {
  if (x.config().disable_symlinks.deny == Deny::off) return ::stat(path.c_str(), &info) == 0;
  return static_cast<bool>(open_file(x, path, root_size, info));
}

}  // namespace weir::proxy
