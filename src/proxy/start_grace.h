// The grace of a start: peers are `checking` until the first word of their checks, or until
// upstream::PeerHealth gives up waiting for it. Requests wait meanwhile, for a moment at most,
// instead of being told that there is no peer.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "net/loop.h"
#include "net/task.h"
#include "upstream/pool.h"

namespace weir::proxy {

// Of one pool, in one runtime; any thread.
class StartGrace {
 public:
  // `most`: how long, from the first request that waits on.
  StartGrace(const upstream::Pool& pool, Duration most);

  // Whether a request must wait: no peer may take it, and of some there is no verdict yet. Once
  // false, false for ever.
  [[nodiscard]] bool holds(TimePoint now);
  // When it ends in any case. `now`: of the one who waits.
  [[nodiscard]] TimePoint end(TimePoint now);

 private:
  [[nodiscard]] bool is_open() const;

  std::vector<std::shared_ptr<const upstream::Peer>> peers_;  // those that are checked
  Duration most_;
  std::atomic<bool> over_{false};
  std::atomic<Duration::rep> end_{0};  // since the clock's epoch; 0: nobody has waited yet
};

// The requests of one worker that wait so. Worker thread.
class StartWaits {
 public:
  // The health of peers has changed: all look again.
  void wake();
  // Until `grace` holds no more, or the waiter is cancelled.
  [[nodiscard]] net::Task<void> wait(StartGrace& grace, net::Loop& loop, net::Waiter& waiter);

 private:
  struct Place {
    Place(StartWaits& list_, net::Waiter& waiter_);
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    StartWaits& list;
    net::Waiter& waiter;
    Place* prev = nullptr;
    Place* next = nullptr;
  };
  Place* first_ = nullptr;
};

}  // namespace weir::proxy
