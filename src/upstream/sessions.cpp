#include "upstream/sessions.h"

#include <algorithm>
#include <mutex>

namespace weir::upstream {
namespace {
constexpr std::uint64_t kBytesEach = 128;  // nginx: 1 MB for 8,000
}

Sessions::Sessions(std::uint64_t bytes, HashSeed first, HashSeed second)
    : first_(first),
      second_(second),
      most_(static_cast<std::size_t>(std::max<std::uint64_t>(bytes / kBytesEach, 1))) {}

// Two independent sums: nobody finds two IDs that meet.
Sessions::Key Sessions::key_of(std::string_view id) const {
  return {siphash(id, first_), siphash(id, second_)};
}

bool Sessions::find(std::string_view id, Duration timeout, TimePoint now, std::string& sid) {
  const Key key = key_of(id);
  const std::lock_guard guard(lock_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end() || now - found->second->used > timeout) return false;
  sid = found->second->sid;
  return true;
}

void Sessions::learn(std::string_view id, std::string_view sid, bool create, Duration timeout,
                     TimePoint now) {
  const Key key = key_of(id);
  const std::lock_guard guard(lock_);
  drop_old(timeout, now);
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    found->second->sid = sid;
    found->second->used = now;
    order_.splice(order_.begin(), order_, found->second);
    return;
  }
  if (!create) return;
  if (order_.size() >= most_) drop_last();
  order_.push_front({key, std::string(sid), now});
  by_key_.emplace(key, order_.begin());
}

std::size_t Sessions::size() {
  const std::lock_guard guard(lock_);
  return order_.size();
}

// A few at a time: the work is spread over those who come.
void Sessions::drop_old(Duration timeout, TimePoint now) {
  for (int i = 0; i < 4 && !order_.empty() && now - order_.back().used > timeout; ++i) drop_last();
}

void Sessions::drop_last() {
  by_key_.erase(order_.back().key);
  order_.pop_back();
}

}  // namespace weir::upstream
