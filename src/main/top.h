// `weir top`: the state of all pools with rates, drawn anew again and again. Plain terminal codes;
// ends with an interrupt, or after a number of pictures.
#pragma once

#include <boost/json/value.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace weir::main {

// One picture. `before`: the state `passed` ago, for the rates; null: there is none yet.
[[nodiscard]] std::string top_text(const boost::json::value& now, const boost::json::value& before,
                                   Duration passed);

struct Screen {
  std::size_t rows = 24;
  std::size_t columns = 80;
};
// As much of a picture as there is room for: lines neither wrap nor scroll.
[[nodiscard]] std::string fitted(std::string_view text, const Screen& screen);

struct TopOptions {
  Duration interval = std::chrono::seconds{1};
  std::uint64_t count = 0;  // pictures; 0: no end
};
// `ask` gives the state, or nothing: what is wrong has been said. The exit status.
[[nodiscard]] int top(const std::function<std::optional<boost::json::value>()>& ask,
                      const TopOptions& options);

}  // namespace weir::main
