#include "http/http2_guard.h"

#include <algorithm>

namespace weir::http {
namespace {

// A frame is answered by an update for its stream and one for the connection.
constexpr std::uint32_t kUpdates = 2;
// Answers that pay for a request that was none: a third of all may be.
constexpr std::uint64_t kAnswers = 2;
// Bytes of a frame that is worth its updates; as few as nginx wants, so that a client at the end of
// a line of small windows goes on.
constexpr std::size_t kWorth = 8;
// What may be in store of them: a download does not pay for a flood that follows.
constexpr std::size_t kMostBytes = 1024;

// What single users of a connection do.
bool is_of_a_request(Nuisance what) {
  return what == Nuisance::reset || what == Nuisance::bad_stream || what == Nuisance::stall;
}

}  // namespace

void Http2Guard::answered() {
  paid_ += kUpdates;
  // No more is in store than the limit itself: a flood may begin at any time.
  answers_ = std::min<std::uint64_t>(answers_ + 1, kAnswers * limit_);
}

void Http2Guard::sent(std::size_t size, bool whole) {
  bytes_ = std::min(bytes_ + size, kMostBytes);
  if (!whole) {
    if (bytes_ < kWorth) return;
    bytes_ -= kWorth;
  }
  paid_ += kUpdates;
}

bool Http2Guard::note(Nuisance what, TimePoint now, std::uint32_t count) {
  if (what >= Nuisance::ping && paid_ >= count) {
    paid_ -= count;
    return true;
  }
  if (is_of_a_request(what) && answers_ >= kAnswers * count) {
    answers_ -= kAnswers * count;
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
