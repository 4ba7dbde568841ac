// A sorted table from intervals of keys to values: what is looked up in `geo`. Each key belongs to
// the interval that begins last before it. Built once, then read by all threads.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <limits>
#include <vector>

namespace weir::access {

// An IPv6 address as a number.
struct WideKey {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend auto operator<=>(const WideKey&, const WideKey&) = default;
};

// The key after `key`; false: it was the last.
inline bool advance(std::uint32_t& key) { return ++key != 0; }
inline bool advance(WideKey& key) { return ++key.low != 0 || ++key.high != 0; }

template <typename Key>
class IntervalTable {
 public:
  explicit IntervalTable(std::uint32_t value = 0) { begin(Key{}, value); }

  // From `start` on, keys have `value`. `start` must not be below that of the call before; one that
  // is equal replaces it.
  void begin(Key start, std::uint32_t value) {
    if (!starts_.empty() && starts_.back() == start) {
      starts_.pop_back();
      values_.pop_back();
    }
    if (!values_.empty() && values_.back() == value) return;
    starts_.push_back(start);
    values_.push_back(value);
  }

  [[nodiscard]] std::uint32_t find(Key key) const {
    const auto after = std::upper_bound(starts_.begin(), starts_.end(), key);
    return values_[static_cast<std::size_t>(after - starts_.begin()) - 1];
  }
  [[nodiscard]] std::size_t size() const { return starts_.size(); }

 private:
  std::vector<Key> starts_;  // ascending, the first is Key{}
  std::vector<std::uint32_t> values_;
};

}  // namespace weir::access
