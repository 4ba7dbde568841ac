#include "access/limit_req.h"

#include <array>
#include <boost/container/small_vector.hpp>
#include <cstdlib>
#include <mutex>

namespace weir::access {

namespace {

// What nginx needs for a key besides its bytes, on 64 bits.
constexpr std::size_t kOverhead = 80;
// A key that was not used for so long, and has no excess left, is forgotten for a new one. A clock
// that seems to have gone back by more is one that has come round.
constexpr std::int64_t kForgetAfter = 60000;
// So many idle keys at most make way for a new one, before and after the zone is found full.
constexpr std::size_t kMostIdle = 2;

std::int64_t milliseconds(TimePoint time) { return time.time_since_epoch().count(); }

Millirequests leaked(Millirequests rate, std::int64_t elapsed) {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  return elapsed > most / rate ? most / 1000 : rate * elapsed / 1000;
}

}  // namespace

// One request at the limits of its location: first all are asked, then all are told.
class RequestLimiter {
 public:
  RequestLimiter(std::span<const RequestLimit> limits, std::int64_t now)
      : limits_(limits), now_(now) {
    held_.reserve(limits.size());
  }

  RequestDecision run(std::span<const std::string_view> keys) {
    bool counted = false;
    bool any = false;
    std::size_t at = 0;
    for (; at < limits_.size() && !counted; ++at) {
      if (keys[at].empty() || keys[at].size() > kMaxRequestKey) continue;
      any = true;
      // Only what all limits let pass is counted; at the last one that is known.
      const bool last = at + 1 == limits_.size();
      switch (check(limits_[at], keys[at], last)) {
        case Check::held:
          break;
        case Check::counted:
          counted = true;
          break;
        case Check::busy:
          return refuse(at, false);
        case Check::no_room:
          return refuse(at, true);
      }
    }
    if (!any) return {};
    return count_held(counted);
  }

 private:
  using Table = RequestZone::Table;
  using State = RequestZone::State;
  enum class Check : std::uint8_t { held, counted, busy, no_room };
  struct Held {
    std::size_t limit;
    Table::Node* node;
  };
  using Evicted = std::array<Table::NodePointer, kMostIdle + 1 + kMostIdle>;

  struct Filled {
    Millirequests excess;
    bool time_passed;
  };
  // The bucket with this request in it.
  [[nodiscard]] Filled fill(const State& state, Millirequests rate) const {
    if (!state.counted) return {0, true};
    auto elapsed = now_ - state.last;
    if (elapsed < -kForgetAfter) elapsed = 1;
    if (elapsed < 0) elapsed = 0;
    const auto excess = state.excess - leaked(rate, elapsed) + 1000;
    return {excess < 0 ? 0 : excess, elapsed != 0};
  }
  void store(State& state, Filled filled) const {
    state.excess = filled.excess;
    if (filled.time_passed) state.last = now_;
    state.counted = true;
  }

  Check check(const RequestLimit& limit, std::string_view key, bool last) {
    RequestZone& zone = *limit.zone;
    const auto hash = zone.table_.hash(key);
    {
      const std::lock_guard guard(zone.lock_);
      if (auto* node = zone.table_.find(key, hash)) return check_known(limit, *node, last);
    }
    auto made = Table::make(key, hash);
    Evicted evicted;  // freed after the lock
    const std::lock_guard guard(zone.lock_);
    // Another thread may have been faster.
    if (auto* node = zone.table_.find(key, hash)) return check_known(limit, *node, last);
    if (!make_room(limit, key, evicted)) return Check::no_room;
    excess_ = 0;
    return admit(zone.table_.insert(std::move(made)), {0, true}, last, limit);
  }

  Check check_known(const RequestLimit& limit, Table::Node& node, bool last) {
    limit.zone->table_.touch(node);
    const auto filled = fill(node.state, limit.rate);
    excess_ = filled.excess;
    if (filled.excess > limit.burst) return Check::busy;
    return admit(node, filled, last, limit);
  }

  Check admit(Table::Node& node, Filled filled, bool last, const RequestLimit& limit) {
    if (last) {
      store(node.state, filled);
      return Check::counted;
    }
    ++node.state.users;
    held_.push_back({static_cast<std::size_t>(&limit - limits_.data()), &node});
    return Check::held;
  }

  // Idle keys go whenever a new one comes, so that a zone does not fill up with them; and the
  // oldest, idle or not, if it is full nevertheless.
  bool make_room(const RequestLimit& limit, std::string_view key, Evicted& evicted) const {
    Table& table = limit.zone->table_;
    auto* out = evicted.data();
    const auto forget_idle = [&] {
      for (std::size_t i = 0; i < kMostIdle && forget_oldest(limit, *out, false); ++i) ++out;
    };
    forget_idle();
    if (table.has_room_for(key)) return true;
    if (!forget_oldest(limit, *out++, true)) return false;
    forget_idle();
    return table.has_room_for(key);
  }

  bool forget_oldest(const RequestLimit& limit, Table::NodePointer& out, bool by_force) const {
    Table& table = limit.zone->table_;
    Table::Node* node = table.oldest();
    // One that is in use is not the oldest for long: no need to look further.
    if (node == nullptr || node->state.users > 0) return false;
    if (!by_force) {
      const auto elapsed = std::abs(now_ - node->state.last);
      if (elapsed < kForgetAfter) return false;
      if (node->state.excess > leaked(limit.rate, elapsed)) return false;
    }
    out = table.take(*node);
    return true;
  }

  RequestDecision refuse(std::size_t at, bool out_of_memory) {
    for (const auto& held : held_) {
      const std::lock_guard guard(limits_[held.limit].zone->lock_);
      --held.node->state.users;
    }
    return {RequestVerdict::rejected, Duration{0}, excess_, at, out_of_memory};
  }

  [[nodiscard]] static Duration wait_for(const RequestLimit& limit, Millirequests excess) {
    if (excess <= limit.delay) return Duration{0};
    return Duration{(excess - limit.delay) * 1000 / limit.rate};
  }

  RequestDecision count_held(bool counted) {
    RequestDecision decision;
    decision.limit = limits_.size() - 1;
    // A last limit without a key has no say.
    decision.excess = counted ? excess_ : 0;
    decision.wait = wait_for(limits_.back(), decision.excess);
    for (auto held = held_.rbegin(); held != held_.rend(); ++held) {
      const RequestLimit& limit = limits_[held->limit];
      Filled filled;
      {
        const std::lock_guard guard(limit.zone->lock_);
        filled = fill(held->node->state, limit.rate);
        store(held->node->state, filled);
        --held->node->state.users;
      }
      const auto wait = wait_for(limit, filled.excess);
      if (wait <= decision.wait) continue;
      decision.wait = wait;
      decision.excess = filled.excess;
      decision.limit = held->limit;
    }
    decision.verdict =
        decision.wait > Duration{0} ? RequestVerdict::delayed : RequestVerdict::passed;
    return decision;
  }

  std::span<const RequestLimit> limits_;
  std::int64_t now_;
  Millirequests excess_ = 0;  // at the limit asked last
  boost::container::small_vector<Held, 4> held_;
};

RequestDecision limit_request(std::span<const RequestLimit> limits,
                              std::span<const std::string_view> keys, TimePoint now) {
  return RequestLimiter(limits, milliseconds(now)).run(keys);
}

std::string_view request_status(RequestVerdict verdict, bool dry_run) {
  switch (verdict) {
    case RequestVerdict::unlimited:
      return {};
    case RequestVerdict::passed:
      return "PASSED";
    case RequestVerdict::delayed:
      return dry_run ? "DELAYED_DRY_RUN" : "DELAYED";
    case RequestVerdict::rejected:
      return dry_run ? "REJECTED_DRY_RUN" : "REJECTED";
  }
  return {};
}

RequestZone::RequestZone(std::size_t bytes, HashSeed seed) : table_(bytes, kOverhead, seed) {}

std::size_t RequestZone::size() {
  const std::lock_guard guard(lock_);
  return table_.size();
}

}  // namespace weir::access
