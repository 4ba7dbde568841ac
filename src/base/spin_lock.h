// A lock for critical sections of some tens of nanoseconds that do no I/O, no allocation and no
// call that could block. Any thread.
//
// Why not std::mutex: an uncontended lock and unlock costs one atomic exchange and one plain store
// here, against two atomic read-modify-writes behind calls into libc there, and a balancer takes it
// twice for each request. A holder may be preempted, so a waiter gives its core away soon.
#pragma once

#include <atomic>
#include <thread>

namespace weir {

class alignas(64) SpinLock {
 public:
  SpinLock() = default;
  SpinLock(const SpinLock&) = delete;
  SpinLock& operator=(const SpinLock&) = delete;

  void lock() {
    while (locked_.exchange(true, std::memory_order_acquire)) wait();
  }
  bool try_lock() { return !locked_.exchange(true, std::memory_order_acquire); }
  void unlock() { locked_.store(false, std::memory_order_release); }

 private:
  void wait() const {
    // Reads only, so that the holder's cache line is not torn away while it works.
    for (int spins = 0; locked_.load(std::memory_order_relaxed); ++spins) {
      if (spins < 64) {
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#endif
      } else {
        std::this_thread::yield();
      }
    }
  }

  std::atomic<bool> locked_{false};
};

}  // namespace weir
