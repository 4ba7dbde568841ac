// What nginx makes of a User-Agent field: the families of browsers that it treats apart. Pure
// function; any thread.
#pragma once

#include <string_view>

namespace weir::http {

struct UserAgent {
  bool msie = false;
  bool msie6 = false;  // 4, 5, or 6 without the service pack that mended it; also msie
  bool opera = false;
  bool gecko = false;
  bool chrome = false;
  bool safari = false;
  bool konqueror = false;
  friend bool operator==(const UserAgent&, const UserAgent&) = default;
};

[[nodiscard]] UserAgent parse_user_agent(std::string_view field);

}  // namespace weir::http
