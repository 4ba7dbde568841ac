// nginx's `types`: which Content-Type a path has by its extension. Filled while a configuration is
// compiled, read by all workers after.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/string_map.h"

namespace weir::content {

class MimeTypes {
 public:
  MimeTypes() = default;
  // What holds where no `types` is configured: html, gif and jpg.
  [[nodiscard]] static MimeTypes defaults();

  // The later of two types of an extension wins, whatever the case. Returns the one replaced.
  std::optional<std::string> add(std::string_view extension, std::string_view type);

  // The type of an extension without its dot, in any case; null: none, and `default_type` holds.
  [[nodiscard]] const std::string* find(std::string_view extension) const;

  [[nodiscard]] std::size_t size() const { return types_.size(); }

 private:
  StringMap<std::string> types_;  // lower-case keys
};

// "html" of "/a/b.html". Empty: no dot in the last segment, or only one that begins it.
[[nodiscard]] std::string_view extension_of(std::string_view path);

}  // namespace weir::content
