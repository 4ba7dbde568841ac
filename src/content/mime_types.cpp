#include "content/mime_types.h"

#include <algorithm>
#include <array>
#include <utility>

#include "http/chars.h"

namespace weir::content {
namespace {

constexpr std::size_t kLongest = 64;  // an extension longer than this is looked up nowhere

}  // namespace

MimeTypes MimeTypes::defaults() {
  MimeTypes types;
  types.add("html", "text/html");
  types.add("gif", "image/gif");
  types.add("jpg", "image/jpeg");
  return types;
}

std::optional<std::string> MimeTypes::add(std::string_view extension, std::string_view type) {
  std::string key(extension);
  std::transform(key.begin(), key.end(), key.begin(), http::to_lower);
  const auto [row, added] = types_.try_emplace(std::move(key), type);
  if (added) return std::nullopt;
  return std::exchange(row->second, std::string(type));
}

const std::string* MimeTypes::find(std::string_view extension) const {
  if (extension.empty() || extension.size() > kLongest) return nullptr;
  std::array<char, kLongest> lower;
  std::transform(extension.begin(), extension.end(), lower.begin(), http::to_lower);
  const auto row = types_.find(std::string_view(lower.data(), extension.size()));
  return row == types_.end() ? nullptr : &row->second;
}

std::string_view extension_of(std::string_view path) {
  const auto slash = path.rfind('/');
  const auto name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  const auto dot = name.rfind('.');
  // A dot that begins the segment hides a file, it does not begin an extension.
  if (dot == std::string_view::npos || dot == 0) return {};
  return name.substr(dot + 1);
}

}  // namespace weir::content
