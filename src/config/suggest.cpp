#include "config/suggest.h"

#include <algorithm>
#include <vector>

namespace weir::config {

std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
  const std::size_t gap = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
  if (gap > limit) return limit + 1;
  // Optimal string alignment: three rows of the usual matrix.
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return std::min(last[b.size()], limit + 1);
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> words) {
  // A third of the letters may be wrong, three at most: "lisen" is listen, "abc" is nothing.
  const std::size_t limit = std::min<std::size_t>(3, word.size() / 3);
  if (limit == 0 || word.size() > 64) return {};
  std::string_view best;
  std::size_t least = limit + 1;
  for (const auto candidate : words) {
    const std::size_t distance = edit_distance(word, candidate, limit);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> words) {
  const auto best = nearest(word, words);
  return best.empty() ? std::string{} : "; did you mean \"" + std::string(best) + "\"?";
}

std::string quote(std::string_view word) {
  constexpr std::size_t kShown = 200;  // paths are longer than words
  std::string out = "\"";
  for (const char c : word.substr(0, kShown)) {
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  }
  if (word.size() > kShown) out += "...";
  return out + "\"";
}

}  // namespace weir::config
