// Directives that change nothing in weir, and those that nginx has and weir has not: names in
// groups that share a note. Constant data; the rest of the folder sees them through directives.h.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace weir::config {

struct AcceptedGroup {
  std::string_view names;  // separated by blanks
  std::uint32_t contexts;
  std::string_view only;  // the one argument that is accepted; empty: any
  std::string_view note;
};
[[nodiscard]] std::span<const AcceptedGroup> accepted_directives();

struct UnsupportedGroup {
  std::string_view names;
  std::string_view note;  // what to do instead
};
[[nodiscard]] std::span<const UnsupportedGroup> unsupported_directives();

}  // namespace weir::config
