#include "http/path.h"

#include <algorithm>

#include "http/chars.h"
#include "http/escape.h"

namespace weir::http {
namespace {

// Nothing to decode, and no segment that could be empty, "." or "..".
bool is_normal(std::string_view raw) {
  if (!raw.starts_with('/')) return false;
  char before = '\0';
  for (const char c : raw) {
    if (c == '%' || (before == '/' && (c == '/' || c == '.'))) return false;
    before = c;
  }
  return true;
}

bool decode(std::string_view raw, std::string& out) {
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '%') {
      out.push_back(raw[i]);
      continue;
    }
    if (i + 2 >= raw.size()) return false;
    const int high = hex_value(raw[i + 1]);
    const int low = hex_value(raw[i + 2]);
    if (high < 0 || low < 0 || (high == 0 && low == 0)) return false;
    out.push_back(static_cast<char>(high << 4 | low));
    i += 2;
  }
  return true;
}

// Resolves segments in place; what is written never overtakes what is read.
bool resolve_segments(bool merge_slashes, std::string& path) {
  std::size_t to = 0;
  std::size_t from = 0;
  while (from < path.size()) {
    // At a '/': the segment after it decides.
    const auto begin = from + 1;
    const auto end = std::min(path.find('/', begin), path.size());
    const std::string_view segment(path.data() + begin, end - begin);
    const bool last = end == path.size();
    if (segment == ".") {
      if (last) path[to++] = '/';
    } else if (segment == "..") {
      if (to == 0) return false;
      to = path.rfind('/', to - 1);
      if (last) path[to++] = '/';
    } else if (segment.empty() && !last && merge_slashes) {
      // the next slash stands for both
    } else {
      const auto size = end - from;
      if (to != from)
        std::copy_n(path.begin() + static_cast<std::ptrdiff_t>(from), size,
                    path.begin() + static_cast<std::ptrdiff_t>(to));
      to += size;
    }
    from = end;
  }
  path.resize(to);
  if (path.empty()) path.push_back('/');
  return true;
}

}  // namespace

bool normalize_path(std::string_view raw, bool merge_slashes, std::string& out) {
  out.clear();
  if (is_normal(raw)) {
    out.append(raw);
    return true;
  }
  if (!decode(raw, out) || !out.starts_with('/')) return false;
  return resolve_segments(merge_slashes, out);
}

void escape_uri(std::string_view path, std::string& out) { escape(path, Escape::uri, out); }

}  // namespace weir::http
