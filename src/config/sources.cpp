#include "config/sources.h"

#include <glob.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace weir::config {

bool read_file(const std::string& path, std::string& content, std::string& error) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    error = std::strerror(errno);
    return false;
  }
  struct stat status {};
  if (stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
    error = "it is a directory";
    return false;
  }
  // In pieces: a file's size is not known beforehand (it may be a pipe), and is small as a rule.
  content.clear();
  std::array<char, 16 * 1024> piece;
  while (content.size() <= Sources::kMaxFileSize) {
    in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    if (in.gcount() <= 0) break;
    content.append(piece.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad()) {
    error = "reading failed";
    return false;
  }
  return true;
}

std::vector<std::string> glob_files(const std::string& pattern) {
  std::vector<std::string> paths;
  glob_t found{};
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  globfree(&found);
  return paths;
}

namespace {
bool is_pattern(const std::string& name) { return name.find_first_of("*?[") != std::string::npos; }
}  // namespace

Sources::Sources(const LoadOptions& options, const std::string& main_path) : options_(options) {
  const auto slash = main_path.rfind('/');
  if (slash != std::string::npos) directory_ = main_path.substr(0, slash + 1);
}

std::vector<std::string> Sources::expand(const std::string& name) const {
  const std::string path = name.starts_with('/') ? name : directory_ + name;
  if (!is_pattern(name)) return {path};
  return options_.glob ? options_.glob(path) : glob_files(path);
}

bool Sources::read(const std::string& path, std::string& content, std::string& error) {
  if (++files_ > kMaxFiles) {
    error = "more than " + std::to_string(kMaxFiles) + " files";
    return false;
  }
  const bool ok = options_.read_file ? options_.read_file(path, content, error)
                                     : read_file(path, content, error);
  if (!ok) return false;
  if (content.size() > kMaxFileSize) {
    error = "the file is larger than " + std::to_string(kMaxFileSize >> 20) + " MiB";
    return false;
  }
  return true;
}

}  // namespace weir::config
