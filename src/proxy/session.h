// A client connection: reads requests one after the other and runs an exchange for each.
//
// Belongs to its worker, frees itself when its coroutine ends. While it is idle between requests
// it holds no buffer and no exchange: this object and one coroutine frame are all it costs.
//
// A connection that speaks HTTP/2 has an Http2Connection beside it, and each stream of that a
// session of its own: what its exchange takes for the client's connection.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/unique_fd.h"
#include "net/loop.h"
#include "net/task.h"
#include "proxy/proxied_addresses.h"
#include "proxy/runtime.h"

namespace weir::proxy {

class Http2Connection;
class Http2Stream;
class Worker;
struct Explanation;

class Session {
 public:
  // `listen_text` names the listener; the worker keeps it for good.
  Session(Worker& worker, const std::string& listen_text, const IpAddress& peer, std::uint64_t id);
  // Of a stream on `connection`, which outlives it.
  Session(Http2Stream& stream, Session& connection);
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

  // Ends the connection at once.
  void cancel();
  // Whether it has served nothing under a configuration after this one.
  [[nodiscard]] bool is_of(std::uint64_t generation) const { return generation_ <= generation; }
  // Ends it when the request it is serving has ended, or now if it waits for one. `spare_fresh`:
  // not yet if it has just been opened, since its first request will be on the way.
  void drain(bool spare_fresh);
  static constexpr Duration kFresh{500};
  // Ends it if is_of(generation); of HTTP/2, the streams that are.
  void cut(std::uint64_t generation);

  [[nodiscard]] net::Descriptor& client() { return client_; }
  [[nodiscard]] net::Waiter& waiter() { return waiter_; }
  [[nodiscard]] const IpAddress& peer() const { return peer_; }
  [[nodiscard]] std::uint64_t id() const { return id_; }
  [[nodiscard]] std::uint32_t requests() const { return requests_; }
  [[nodiscard]] TimePoint opened() const { return opened_; }
  [[nodiscard]] const std::string& listen_text() const { return listen_text_; }
  // The listener in `runtime`; null if a reload has removed it.
  [[nodiscard]] const ListenNode* listen(const Runtime& runtime);
  // It can go on with `runtime`: its listener is there, speaks what the connection does, and would
  // ask for a client's certificate by the same rules.
  [[nodiscard]] bool fits(const Runtime& runtime) const;
  [[nodiscard]] bool draining() const { return connection_->draining_; }
  // The connection is encrypted.
  [[nodiscard]] bool secure() const { return tls() != nullptr || explains_secure_; }
  // Of the connection: a stream has neither of its own.
  [[nodiscard]] net::TlsStream* tls() const { return connection_->client_.tls(); }
  [[nodiscard]] int fd() const { return connection_->client_.fd(); }
  // Not null: this is the session of a stream of HTTP/2.
  [[nodiscard]] Http2Stream* stream() const { return stream_; }
  // Of a stream: the number of its request in the connection.
  void begin_stream(std::uint32_t number) { requests_ = number; }
  // One more request of HTTP/2; how many there were with it.
  std::uint32_t count_request() { return ++requests_; }
  void begin_idle();
  void end_idle();
  // Not null: its one request is not served, but explained there.
  [[nodiscard]] Explanation* explanation() const { return explanation_; }
  // It is not, though its listener speaks TLS alone.
  [[nodiscard]] bool plain_on_tls() const { return plain_on_tls_; }
  // What the PROXY protocol's header says; null: there was none.
  [[nodiscard]] const ProxiedAddresses* proxied() const { return connection_->proxied_.get(); }
  // Waiters of what runs beside the session's own course: cancelled with it.
  void add_waiter(net::Waiter& waiter) { beside_.push_back(&waiter); }
  void remove_waiter(net::Waiter& waiter) { std::erase(beside_, &waiter); }
  // When the first request's head has to be there: its time begins with the connection.
  [[nodiscard]] TimePoint head_until() const { return head_until_; }
  // Bytes received that belong to the next request.
  [[nodiscard]] std::string& pending() { return pending_; }

  // What the last exchange left for the time after it.
  struct Afterwards {
    bool keep = false;
    bool gone = false;    // the client has closed: there is nobody to linger for
    bool linger = false;  // unread bytes of the client are on their way
    bool never_linger = false;
    bool reset = false;    // the answer was cut short: the connection ends in a reset
    bool stalled = false;  // because the client did not take it
    Duration idle_timeout{0};
    Duration min_timeout{0};  // of being idle, though the server is to end
    Duration lingering_time{0};
    Duration lingering_timeout{0};
  };

 private:
  friend class Worker;
  [[nodiscard]] const ListenNode* listen_in(const Runtime& runtime) const;
  [[nodiscard]] const ServerNode& server_of(const ListenNode& node) const;
  net::Task<void> run();
  // Its one request, which is in pending_. Frees itself before it calls `done`. `other`: the other
  // end of its connection.
  net::Task<void> run_explained(UniqueFd other, std::function<void()> done);
  net::Task<bool> wait_for_request(Duration timeout);
  net::Task<bool> read_proxied(Duration timeout);
  net::Task<bool> begin_tls(const ListenNode& node);
  net::Task<bool> handshake(TimePoint deadline);
  // Nothing more comes: without being told, a client could not tell an answer that ends with its
  // connection from one that broke off (RFC 8446 section 6.1).
  net::Task<void> end_tls();
  void log_handshake(const std::string& text, LogLevel level = LogLevel::info);
  // It may, where this connection is concerned: with TLS, the server that SNI names says so.
  [[nodiscard]] bool may_ask_http2(const ListenNode& node) const;
  // What the client has begun with, where it may choose (RFC 9113 section 3).
  enum class Asked : std::uint8_t { nothing, http1, http2 };
  net::Task<Asked> asks_http2(TimePoint deadline);
  // `since`: what the client has to send first is awaited since then.
  net::Task<void> run_http2(TimePoint since);
  static std::shared_ptr<const tls::Context> choose_context(void* session, std::string_view name);
  net::Task<void> linger(Afterwards afterwards);

  Worker& worker_;
  Session* connection_ = this;
  Http2Stream* stream_ = nullptr;
  Http2Connection* http2_ = nullptr;
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
  std::unique_ptr<ProxiedAddresses> proxied_;
  std::vector<net::Waiter*> beside_;
  TimePoint head_until_ = TimePoint::max();  // of the first request
  TimePoint closable_ = TimePoint::min();    // when idle: may be closed from then on
  TimePoint idle_since_ = TimePoint::min();
  bool draining_ = false;
  bool idle_ = false;
  bool plain_on_tls_ = false;
  bool explains_secure_ = false;
  Explanation* explanation_ = nullptr;
  Session* prev_ = nullptr;  // in Worker::sessions_
  Session* next_ = nullptr;
  Session* idle_prev_ = nullptr;
  Session* idle_next_ = nullptr;
};

}  // namespace weir::proxy
