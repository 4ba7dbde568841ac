// Where something stands in the configuration: "file:line:col". A plain value.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace weir::config {

struct Position {
  std::shared_ptr<const std::string> file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  [[nodiscard]] std::string text() const;
};

}  // namespace weir::config
