#include "proxy/internal_uri.h"

#include <algorithm>

#include "http/escape.h"

namespace weir::proxy {
namespace {

// No segment of the path leads above its beginning.
bool is_within_root(std::string_view path) {
  while (!path.empty()) {
    const auto end = std::min(path.find('/', 1), path.size());
    if (path.substr(0, end) == "/..") return false;
    path.remove_prefix(end);
  }
  return true;
}

}  // namespace

bool parse_internal_uri(std::string_view uri, std::string& path, std::string& args) {
  const auto mark = uri.find('?');
  path.clear();
  http::unescape(uri.substr(0, mark), http::Unescape::all, path);
  args.clear();
  if (mark != std::string_view::npos) args.assign(uri.substr(mark + 1));
  return path.starts_with('/') && path.find('\0') == std::string::npos && is_within_root(path);
}

}  // namespace weir::proxy
