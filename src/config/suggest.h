// "did you mean": the known word nearest to a misspelt one. Pure functions, any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace weir::config {

// Number of inserted, deleted, replaced or swapped neighbouring letters that turn `a` into `b`;
// `limit` + 1 if there are more than `limit`.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit);

// The nearest of `words`, or "" if none is near enough to be what was meant.
[[nodiscard]] std::string_view nearest(std::string_view word,
                                       std::span<const std::string_view> words);

// "; did you mean "X"?" or "".
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       std::span<const std::string_view> words);

// The word in quotes, shortened if it is long, with control characters made visible.
[[nodiscard]] std::string quote(std::string_view word);

}  // namespace weir::config
