// The dashboard's files, which are part of the program (dashboard/, embed.cmake). Constant; any
// thread.
#pragma once

#include <span>
#include <string_view>

namespace weir::admin {

struct Asset {
  std::string_view path;  // of its URL
  std::string_view type;  // Content-Type
  std::string_view body;
  std::string_view etag;  // with its quotes; of the content
};

// Generated from the files.
[[nodiscard]] std::span<const Asset> dashboard_assets();

[[nodiscard]] inline const Asset* find_asset(std::string_view path) {
  for (const auto& asset : dashboard_assets()) {
    if (asset.path == path) return &asset;
  }
  return nullptr;
}

}  // namespace weir::admin
