#include "http/http2_guard.h"

#include <algorithm>

namespace weir::http {

bool Http2Guard::note(Nuisance what, TimePoint now, std::uint32_t count) {
  if (what >= Nuisance::ping && paid_ >= count) {
    paid_ -= count;
    return true;
  }
  const auto rate = std::max<std::uint64_t>(limit_ / 10, 1);  // a second
  const auto elapsed = static_cast<std::uint64_t>((now - forgiven_) / Duration{1});
  if (const auto due = elapsed * rate / 1000; due > 0) {
    level_ -= std::min(due, level_);
    forgiven_ = now;
  }
  level_ += count;
  counts_[static_cast<std::size_t>(what)] += count;
  return level_ <= limit_;
}

Nuisance Http2Guard::worst() const {
  const auto most = std::max_element(counts_.begin(), counts_.end());
  return static_cast<Nuisance>(most - counts_.begin());
}

}  // namespace weir::http
