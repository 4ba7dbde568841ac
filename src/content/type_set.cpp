#include "content/type_set.h"

#include <algorithm>

#include "http/chars.h"

namespace weir::content {

bool TypeSet::add(std::string_view type) {
  if (type == "*") {
    any_ = true;
    return true;
  }
  if (std::any_of(types_.begin(), types_.end(),
                  [&](const std::string& have) { return http::equal_ignoring_case(have, type); })) {
    return false;
  }
  types_.emplace_back(type);
  return true;
}

bool TypeSet::contains(std::string_view type) const {
  return any_ || std::any_of(types_.begin(), types_.end(), [&](const std::string& have) {
           return http::equal_ignoring_case(have, type);
         });
}

ContentType parse_content_type(std::string_view value) {
  constexpr std::string_view name = "charset=";
  for (auto semicolon = value.find(';'); semicolon != std::string_view::npos;
       semicolon = value.find(';', semicolon + 1)) {
    const auto begin = value.find_first_not_of(' ', semicolon + 1);
    if (begin == std::string_view::npos) break;
    auto charset = value.substr(begin);
    if (!http::equal_ignoring_case(charset.substr(0, name.size()), name)) continue;
    charset.remove_prefix(name.size());
    if (charset.starts_with('"')) charset.remove_prefix(1);
    if (charset.ends_with('"')) charset.remove_suffix(1);
    return {value.substr(0, semicolon), charset};
  }
  return {value, {}};
}

}  // namespace weir::content
