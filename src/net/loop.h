// The event loop of a worker: one edge-triggered epoll set, one timer wheel, coroutines that wait.
//
// Everything here belongs to the thread that calls run(), but for post() and stop().
//
// A turn has two halves. First all events and time-outs are noted, without running anyone's code;
// then the coroutines they woke run, one after the other. So an event never meets an object that
// an earlier one of the same turn has destroyed.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/timer_wheel.h"

namespace weir::net {

class Loop;
class Descriptor;
class Layer;
class TlsStream;
struct TlsDeleter {
  void operator()(TlsStream* stream) const;
};
using TlsPtr = std::unique_ptr<TlsStream, TlsDeleter>;

// Why a wait ended.
enum class Wake : std::uint8_t { ready, timeout, cancelled };

// A coroutine's place to wait. One a chain of tasks: a chain waits for one thing at a time, which
// may be any of several descriptors. cancel() is sticky: every later wait ends at once.
class Waiter {
 public:
  explicit Waiter(Loop& loop);
  ~Waiter();
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  void cancel();
  [[nodiscard]] bool cancelled() const { return cancelled_; }

  // Suspends until a descriptor with interest in this waiter has an event, `deadline` passes or
  // cancel() is called. TimePoint::max(): no deadline.
  struct [[nodiscard]] Awaiter {
    Waiter& waiter;
    TimePoint deadline;
    bool await_ready() const noexcept { return waiter.cancelled_; }
    void await_suspend(std::coroutine_handle<> handle);
    Wake await_resume() const noexcept {
      return waiter.cancelled_ ? Wake::cancelled : waiter.wake_;
    }
  };
  Awaiter wait(TimePoint deadline) { return {*this, deadline}; }
  // Lets the others run, then goes on.
  Awaiter yield();
  // Ends the wait as an event would: for what is waited for without a descriptor. Nothing happens
  // while nobody waits.
  void notify() { wake(Wake::ready); }

 private:
  friend class Loop;
  friend class Descriptor;
  static void on_timeout(TimerWheel::Timer& timer);
  void wake(Wake why);

  struct Timeout : TimerWheel::Timer {
    Timeout() : Timer(&Waiter::on_timeout) {}
    Waiter* waiter = nullptr;
  };
  Loop& loop_;
  std::coroutine_handle<> handle_;
  Timeout timer_;
  Waiter* prev_ = nullptr;  // in the loop's ready list
  Waiter* next_ = nullptr;
  Wake wake_ = Wake::ready;
  bool queued_ = false;
  bool waiting_ = false;
  bool cancelled_ = false;
};

// The result of one read or write.
struct IoResult {
  enum class Status : std::uint8_t { ok, blocked, eof, error };
  Status status = Status::ok;
  int error = 0;         // errno
  std::size_t size = 0;  // bytes moved
  [[nodiscard]] bool ok() const { return status == Status::ok; }
  [[nodiscard]] bool blocked() const { return status == Status::blocked; }
};

// A non-blocking descriptor in the loop's epoll set. Remembers readiness between edges, so that
// a read that would block is not tried.
class Descriptor {
 public:
  Descriptor() = default;
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  // Takes over `fd` and registers it. False (fd is closed): the kernel refused.
  bool open(Loop& loop, int fd);
  void close();
  // The same where others have duplicates of the descriptor, of which the set would go on telling.
  void close_duplicate(Loop& loop);
  // One without a socket: all bytes go through `layer`, which says what happens by tell().
  void open_layer(Layer& layer);
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  [[nodiscard]] int fd() const { return fd_; }
  // Gives up the descriptor without closing it, and takes it out of the set.
  int release();

  [[nodiscard]] bool readable() const { return readable_; }
  [[nodiscard]] bool writable() const { return writable_; }
  // The other end has finished sending (FIN), or the connection is gone.
  [[nodiscard]] bool hung_up() const { return hung_up_; }
  // Reset, or both directions are shut.
  [[nodiscard]] bool broken() const { return broken_; }

  // Who is woken by which event; null: nobody.
  Waiter* on_readable = nullptr;  // also hang-ups
  Waiter* on_writable = nullptr;
  Waiter* on_hang_up = nullptr;
  // Called (in the first half of a turn) for any event while nobody waits: only for connections
  // that sit idle in a pool. May destroy this descriptor, and nothing else.
  void (*on_idle_event)(Descriptor&) = nullptr;
  // It is called for all events, and nobody else is told of them: whoever waits, waits for another
  // descriptor, whose layer this one is below.
  bool every_event = false;

  IoResult read(char* to, std::size_t size);
  IoResult write(std::string_view bytes);
  // Up to `size` bytes of a file, from `offset` on, without passing through memory.
  IoResult write_file(int file, std::uint64_t offset, std::size_t size);
  // Whether a read would give bytes (ok), nothing yet (blocked), the end (eof) or an error. A
  // system call; consumes nothing.
  IoResult peek();
  void shutdown_write();
  // close() will reset the connection instead of ending it properly.
  void reset_on_close();

  // Connecting sockets: not writable until an event says so.
  void expect_connect() { writable_ = false; }

  // From here on all bytes go through TLS; null while they do not.
  void use_tls(TlsPtr stream);
  [[nodiscard]] TlsStream* tls() const { return tls_.get(); }

  // ---- for the layer of one without a socket ----
  struct Events {
    bool readable = false;
    bool writable = false;
    bool gone = false;  // the other side: nothing can be read or written any more
  };
  void tell(const Events& events);
  void nothing_to_read() { readable_ = false; }
  void no_room() { writable_ = false; }

 private:
  friend class Loop;
  friend class TlsStream;
  void apply(std::uint32_t events);
  // The socket's own bytes.
  IoResult read_plain(char* to, std::size_t size);
  // `more`: others follow at once, which may share a packet with the last of them.
  IoResult write_plain(std::string_view bytes, bool more = false);
  IoResult write_file_plain(int file, std::uint64_t offset, std::size_t size);
  IoResult peek_plain();
  void set_readable() { readable_ = true; }
  void wake_waiters();

  TlsPtr tls_;
  Layer* layer_ = nullptr;  // null: the socket itself
  int fd_ = -1;
  bool readable_ = false;
  bool writable_ = true;
  bool hung_up_ = false;
  bool broken_ = false;
  bool urgent_ = false;  // a read stops at urgent data: a short one does not mean drained
};

// Declares interest for the time of a wait; takes it back when it goes out of scope.
class [[nodiscard]] Interest {
 public:
  Interest(Waiter*& slot, Waiter& waiter) : slot_(&slot) { slot = &waiter; }
  ~Interest() { *slot_ = nullptr; }
  Interest(const Interest&) = delete;
  Interest& operator=(const Interest&) = delete;

 private:
  Waiter** slot_;
};

class Loop {
 public:
  explicit Loop(const Clock& clock);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs turns until stop(). `end_of_turn` is called after each.
  void run(const std::function<void()>& end_of_turn);
  // Any thread.
  void stop();
  // Runs `work` on the loop's thread, in the order posted. Any thread.
  void post(std::function<void()> work);

  // Time of this turn: it stands still while coroutines run.
  [[nodiscard]] TimePoint now() const { return now_; }
  [[nodiscard]] WallTime wall() const { return wall_; }
  [[nodiscard]] TimerWheel& wheel() { return wheel_; }
  // Counts the coroutines resumed: bytes in the thread's buffer live while it stands still.
  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }

 private:
  friend class Waiter;
  friend class Descriptor;
  void turn();
  void run_posted();
  void enqueue(Waiter& waiter);
  void dequeue(Waiter& waiter);

  const Clock& clock_;
  int epoll_ = -1;
  int wakeup_ = -1;  // eventfd behind post()
  TimePoint now_;
  WallTime wall_;
  TimerWheel wheel_;
  std::uint64_t epoch_ = 0;
  Waiter* ready_first_ = nullptr;
  Waiter* ready_last_ = nullptr;
  std::size_t ready_count_ = 0;
  std::atomic<bool> stopped_{false};
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;
  std::vector<std::function<void()>> running_;
};

// The thread's big buffer. What a read puts there lives until the reader's next suspension:
// Loop::epoch() tells, and bytes() checks it.
class Scratch {
 public:
  static constexpr std::size_t kHeadroom = 72 * 1024;  // before the bytes: for a head to write
  static constexpr std::size_t kSize = 256 * 1024;
  static constexpr std::size_t kTailroom = 64;  // after them: for the end of a chunk

  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] char* data() { return memory_ + kHeadroom; }

 private:
  char* memory_;
};

// Bytes in the scratch buffer. Must be consumed or copied before the next suspension.
class Borrowed {
 public:
  Borrowed() = default;
  Borrowed(const Loop& loop, std::span<char> bytes)
      : loop_(&loop), epoch_(loop.epoch()), bytes_(bytes) {}
  // Ends the process if a coroutine has been resumed since: the bytes would be another's.
  [[nodiscard]] std::span<char> bytes() const;

 private:
  const Loop* loop_ = nullptr;
  std::uint64_t epoch_ = 0;
  std::span<char> bytes_;
};

}  // namespace weir::net
