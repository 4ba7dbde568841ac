#include "main/bundle.h"

#include <utility>

namespace weir::main {
namespace {

bool give(const Bundle::File& file, std::string& content, std::string& error) {
  content = file.content;
  error = file.error;
  return file.error.empty();
}

}  // namespace

void Bundle::add(File file) {
  if (index_.try_emplace(file.path, files_.size()).second) files_.push_back(std::move(file));
}

bool Bundle::set_before(const std::string& path, const std::string& content) {
  const auto found = index_.find(path);
  if (found == index_.end()) return false;
  files_[found->second].before = content;
  return true;
}

const Bundle::File* Bundle::find(const std::string& path) const {
  const auto found = index_.find(path);
  return found == index_.end() ? nullptr : &files_[found->second];
}

namespace {

// Reads a file and notes it. One that is named twice is the same both times, even if somebody
// writes to it.
auto reader(std::shared_ptr<Bundle> bundle, bool secret) {
  return [bundle, secret](const std::string& path, std::string& content, std::string& error) {
    if (const auto* file = bundle->find(path)) return give(*file, content, error);
    Bundle::File fresh{path, {}, {}, secret};
    if (!config::read_file(path, fresh.content, fresh.error) && fresh.error.empty()) {
      fresh.error = "reading failed";
    }
    bundle->add(std::move(fresh));
    return give(bundle->files().back(), content, error);
  };
}

}  // namespace

config::LoadOptions recording(const config::LoadOptions& options, std::shared_ptr<Bundle> bundle,
                              std::shared_ptr<const Bundle> before) {
  auto out = options;
  out.read_file = reader(bundle, false);
  out.read_secret = reader(bundle, true);
  out.kept_before = [bundle, before](const std::string& path, std::string& content) {
    const auto* file = before != nullptr ? before->find(path) : nullptr;
    if (file == nullptr) return false;
    // Once lost it is known from what it was before that.
    content = file->before.empty() ? file->content : file->before;
    return !content.empty() && bundle->set_before(path, content);
  };
  out.glob = [bundle](const std::string& pattern) {
    const auto [found, fresh] = bundle->patterns().try_emplace(pattern);
    if (fresh) found->second = config::glob_files(pattern);
    return found->second;
  };
  return out;
}

config::LoadOptions replaying(const config::LoadOptions& options,
                              std::shared_ptr<const Bundle> bundle) {
  auto out = options;
  out.read_file = [bundle](const std::string& path, std::string& content, std::string& error) {
    if (const auto* file = bundle->find(path)) return give(*file, content, error);
    error = "it was not read by the master process";
    return false;
  };
  out.read_secret = out.read_file;
  out.kept_before = [bundle](const std::string& path, std::string& content) {
    const auto* file = bundle->find(path);
    if (file == nullptr || file->before.empty()) return false;
    content = file->before;
    return true;
  };
  out.glob = [bundle](const std::string& pattern) {
    const auto& patterns = bundle->patterns();
    const auto found = patterns.find(pattern);
    return found == patterns.end() ? std::vector<std::string>{} : found->second;
  };
  return out;
}

std::shared_ptr<const Bundle> with_content(std::shared_ptr<const Bundle> bundle,
                                           const std::string& path, const std::string& content) {
  const auto* known = bundle->find(path);
  if (known == nullptr || (known->error.empty() && known->content == content)) return bundle;
  auto out = std::make_shared<Bundle>();
  for (const auto& file : bundle->files()) {
    out->add(file.path == path ? Bundle::File{path, content, {}, file.secret} : file);
  }
  out->patterns() = bundle->patterns();
  return out;
}

}  // namespace weir::main
