#include "proxy/text.h"

#include <algorithm>

#include "http/chars.h"

namespace weir::proxy {

void append_line_field(std::string_view lines, std::string_view name, std::string& out) {
  bool first = true;
  while (!lines.empty()) {
    const auto end = std::min(lines.find("\r\n"), lines.size());
    const auto line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 2, lines.size()));
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    if (!http::equal_ignoring_case(line.substr(0, colon), name)) continue;
    if (!first) out.append(", ");
    first = false;
    auto value = line.substr(colon + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    out.append(value);
  }
}

}  // namespace weir::proxy
