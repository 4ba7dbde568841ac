// A client connection: reads requests one after the other and runs an exchange for each.
//
// Belongs to its worker, frees itself when its coroutine ends. While it is idle between requests
// it holds no buffer and no exchange: this object and one coroutine frame are all it costs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/address.h"
#include "net/loop.h"
#include "net/task.h"
#include "proxy/runtime.h"

namespace weir::proxy {

class Worker;

class Session {
 public:
  // `listen_text` names the listener; the worker keeps it for good.
  Session(Worker& worker, const std::string& listen_text, const IpAddress& peer, std::uint64_t id);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  // From the thread's free list, as coroutine frames: a new connection allocates nothing either.
  static void* operator new(std::size_t size) { return net::FramePool::take(size); }
  static void operator delete(void* memory, std::size_t size) noexcept {
    net::FramePool::give(memory, size);
  }

  // Takes over `fd` and serves it until the connection ends.
  static void start(std::unique_ptr<Session> session, int fd);

  // Ends the connection: at once, or at the end of the request it is serving.
  void cancel() { waiter_.cancel(); }
  void drain();

  [[nodiscard]] net::Descriptor& client() { return client_; }
  [[nodiscard]] net::Waiter& waiter() { return waiter_; }
  [[nodiscard]] const IpAddress& peer() const { return peer_; }
  [[nodiscard]] std::uint64_t id() const { return id_; }
  [[nodiscard]] std::uint32_t requests() const { return requests_; }
  [[nodiscard]] TimePoint opened() const { return opened_; }
  [[nodiscard]] const std::string& listen_text() const { return listen_text_; }
  // The listener in `runtime`; null if a reload has removed it.
  [[nodiscard]] const ListenNode* listen(const Runtime& runtime);
  [[nodiscard]] bool draining() const { return draining_; }
  // Bytes received that belong to the next request.
  [[nodiscard]] std::string& pending() { return pending_; }

  // What the last exchange left for the time after it.
  struct Afterwards {
    bool keep = false;
    bool gone = false;    // the client has closed: there is nobody to linger for
    bool linger = false;  // unread bytes of the client are on their way
    bool reset = false;   // the answer was cut short: the connection ends in a reset
    Duration idle_timeout{0};
    Duration lingering_time{0};
    Duration lingering_timeout{0};
  };

 private:
  friend class Worker;
  net::Task<void> run();
  net::Task<bool> wait_for_request(Duration timeout);
  net::Task<void> linger(Afterwards afterwards);

  Worker& worker_;
  net::Descriptor client_;
  net::Waiter waiter_;
  const std::string& listen_text_;
  const ListenNode* listen_ = nullptr;  // in the runtime of this generation
  std::uint64_t generation_ = 0;
  IpAddress peer_;
  std::uint32_t requests_ = 0;
  std::uint64_t id_;
  TimePoint opened_;
  std::string pending_;
  bool draining_ = false;
  bool idle_ = false;
  Session* prev_ = nullptr;  // in Worker::sessions_
  Session* next_ = nullptr;
  Session* idle_prev_ = nullptr;
  Session* idle_next_ = nullptr;
};

}  // namespace weir::proxy
