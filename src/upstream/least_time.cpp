#include "upstream/least_time.h"

#include <algorithm>

namespace weir::upstream {
namespace {

using config::Balance;

constexpr std::uint64_t kWorst = 5000;  // slower peers are told apart by their connections only
constexpr std::uint64_t kStep = 20;     // times within a step are the same

// A moving average; the halves round to the nearest.
void average(std::uint64_t& mean, Duration sample) {
  const auto value = static_cast<std::uint64_t>(std::max<Duration::rep>(sample.count(), 0));
  mean = mean == 0 ? value
                   : static_cast<std::uint64_t>(0.5 + static_cast<double>(value) * 0.05 +
                                                static_cast<double>(mean) * 0.95);
}

std::int64_t milliseconds(TimePoint now) { return now.time_since_epoch().count(); }

}  // namespace

LeastTime::LeastTime(Balance balance)
    : by_header_(balance == Balance::least_time_header || balance == Balance::random_two_header ||
                 balance == Balance::least_time_header_inflight),
      inflight_(balance == Balance::least_time_header_inflight ||
                balance == Balance::least_time_last_byte_inflight) {}

PeerSlot* LeastTime::choose(PeerList& list, TriedSet& tried, TimePoint now) const {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
  for (std::size_t i = 0; inflight_ && i < list.slots.size(); ++i) {
    Peer& peer = *list.slots[i].peer;
    if (peer.inflight == 0 || tried.contains(i) || !is_eligible(list.slots[i], seconds)) continue;
    const auto age = milliseconds(now) * peer.inflight - peer.inflight_starts;
    average(peer.inflight_time, Duration{age / peer.inflight});
  }
  update_shares(list, seconds);
  return choose_least(list, tried, seconds, [&](const PeerSlot& a, const PeerSlot& b) {
    return is_sooner(a, b, seconds);
  });
}

bool LeastTime::is_sooner(const PeerSlot& a, const PeerSlot& b, std::int64_t seconds) const {
  return score(a, seconds) * b.numbers.weight * b.share <
         score(b, seconds) * a.numbers.weight * a.share;
}

// An estimate of when the peer is through with what it has, this request included.
std::uint64_t LeastTime::score(const PeerSlot& slot, std::int64_t seconds) const {
  const Peer& peer = *slot.peer;
  std::uint64_t time = by_header_ ? peer.header_time : peer.response_time;
  // A slow peer that gets nothing looks better with time, so that it is tried again.
  const auto idle = seconds - peer.checked;
  if (idle > slot.numbers.fail_timeout) {
    time >>= std::min<std::int64_t>(idle / (slot.numbers.fail_timeout + 1), 63);
  }
  if (peer.inflight > 0) time = std::max(time, peer.inflight_time);
  time = time > kWorst ? kWorst : time + kStep - time % kStep;
  return time * (1 + std::uint64_t{peer.conns.load(std::memory_order_relaxed)});
}

void LeastTime::begin(Peer& peer, Start& start, TimePoint now) const {
  start = milliseconds(now);
  ++peer.inflight;
  peer.inflight_starts += *start;
}

void LeastTime::leave(Peer& peer, Start& start) {
  if (!start) return;
  --peer.inflight;
  peer.inflight_starts -= *start;
  start.reset();
}

void LeastTime::head_came(Peer& peer, Start& start, Duration header) const {
  if (!by_header_ || !inflight_) return;
  average(peer.header_time, header);
  leave(peer, start);
}

void LeastTime::end(Peer& peer, Start& start, const AttemptTimes& times) const {
  leave(peer, start);
  if (!times.counts || times.header.count() < 0) return;
  average(peer.response_time, times.response);
  // With both it was counted when the head came.
  if (!by_header_ || !inflight_) average(peer.header_time, times.header);
}

}  // namespace weir::upstream
