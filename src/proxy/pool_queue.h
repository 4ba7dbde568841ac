// nginx's `queue` (Plus): requests that wait, first come first served, while no peer may take one.
//
// A queue is shared by all workers and outlives configurations by the name of its upstream. A
// ticket belongs to the worker of its request; whoever ends an attempt wakes the first in line
// through the loop of that worker.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>

#include "base/spin_lock.h"
#include "net/loop.h"

namespace weir::proxy {

class PoolQueue {
 public:
  class Ticket {
   public:
    Ticket(PoolQueue& queue, net::Loop& loop, net::Waiter& waiter);
    // Leaves; the next in line is woken if this one was and did not take its chance.
    ~Ticket();
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;
    // False: `most` wait already.
    [[nodiscard]] bool join(std::uint32_t most);
    // Its turn has come, or may have: waits again from here.
    void missed();
    void took() { served_ = true; }

   private:
    friend class PoolQueue;
    struct Place {
      net::Loop* loop = nullptr;
      net::Waiter* waiter = nullptr;  // the worker's thread only; null: has left
      bool woken = false;             // under the lock
    };
    PoolQueue& queue_;
    std::shared_ptr<Place> place_;
    std::list<std::shared_ptr<Place>>::iterator at_;
    bool joined_ = false;
    bool served_ = false;
  };

  // Whether anybody waits. Any thread.
  [[nodiscard]] bool busy() const { return size_.load(std::memory_order_relaxed) > 0; }
  [[nodiscard]] std::uint32_t size() const { return size_.load(std::memory_order_relaxed); }
  // A peer may be free. Any thread.
  void wake_one();
  void wake_all();

 private:
  static void wake(const std::shared_ptr<Ticket::Place>& place);

  SpinLock lock_;
  std::list<std::shared_ptr<Ticket::Place>> places_;
  std::atomic<std::uint32_t> size_{0};
};

}  // namespace weir::proxy
