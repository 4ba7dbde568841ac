// Configurations with mistakes, and what is said of each.
#pragma once

#include "support.h"

namespace weir::config::testing {

struct Case {
  std::string text;
  std::string want;  // all problems, a line each
};

inline void check(const std::vector<Case>& cases) {
  for (const auto& c : cases) {
    CAPTURE(c.text);
    CHECK(problems_of(c.text) == c.want);
  }
}

// In a location of a server, which starts at 1:22.
inline Case in_location(const std::string& text, const std::string& want) {
  return {"server { location / {" + text + "}}", want};
}

}  // namespace weir::config::testing
