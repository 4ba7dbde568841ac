// ASCII text in lower case: names of hosts, fields, variables and upstreams have no case.
#pragma once

#include <string>
#include <string_view>

namespace weir::config {

[[nodiscard]] inline std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

}  // namespace weir::config
