#include "main/secret_watch.h"

#include <utility>

#include "config/load.h"

namespace weir::main {
namespace {

// Through symbolic links.
struct stat signature_of(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) info = {};
  return info;
}

bool same_time(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool same(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         a.st_mode == b.st_mode && same_time(a.st_mtim, b.st_mtim) &&
         same_time(a.st_ctim, b.st_ctim);
}

Bundle::File read(const std::string& path) {
  Bundle::File file{path, {}, {}, true};
  if (!config::read_file(path, file.content, file.error) && file.error.empty()) {
    file.error = "reading failed";
  }
  return file;
}

bool differs(const Bundle::File& a, const Bundle::File& b) {
  return a.content != b.content || a.error.empty() != b.error.empty();
}

}  // namespace

void SecretWatch::watch(std::shared_ptr<const Bundle> bundle) {
  bundle_ = std::move(bundle);
  files_.clear();
  for (const auto& file : bundle_->files()) {
    if (!file.secret) continue;
    // It may have changed since it was read: the next look compares its contents.
    files_.push_back({&file, signature_of(file.path), false, file});
  }
}

void SecretWatch::adopt(std::shared_ptr<const Bundle> bundle) {
  for (auto& watched : files_) {
    const auto* file = bundle->find(watched.file->path);
    if (file == nullptr) return watch(std::move(bundle));  // it has other files
    if (differs(*file, *watched.file)) watched.now = *file;
    watched.file = file;
  }
  bundle_ = std::move(bundle);
}

SecretWatch::Look SecretWatch::look() {
  Look out;
  for (auto& watched : files_) {
    const auto signature = signature_of(watched.file->path);
    if (!same(signature, watched.seen)) {
      watched.seen = signature;
      watched.settled = false;
    } else if (!watched.settled) {
      watched.settled = true;
      auto now = read(watched.file->path);
      now.before = watched.file->before;
      if (differs(now, watched.now)) {
        out.news = true;
        watched.now = std::move(now);
      }
    }
    out.settled = out.settled && watched.settled;
    if (differs(watched.now, *watched.file)) out.changed.push_back(watched.now);
  }
  if (out.settled && std::exchange(again_, false)) out.news = true;
  return out;
}

}  // namespace weir::main
