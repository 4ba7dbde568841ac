// A client connection that speaks HTTP/2 (RFC 9113): frames in and out by nghttp2, which does no
// I/O; a stream and an exchange for each request. Lives in the frame of Session::run_http2, until
// its last stream has ended. Worker thread.
//
// What streams write is gathered, and goes to the socket at the end of the loop's turn.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "http/http2_answer.h"
#include "http/http2_guard.h"
#include "http/http2_request.h"
#include "http/http2_scanner.h"
#include "net/loop.h"
#include "net/task.h"
#include "proxy/session.h"

struct nghttp2_session;

namespace weir::proxy {

class Http2Stream;
class Worker;

class Http2Connection {
 public:
  // `since`: its first request is awaited since then.
  Http2Connection(Session& session, Worker& worker, const ListenNode& node, TimePoint since);
  ~Http2Connection();
  Http2Connection(const Http2Connection&) = delete;
  Http2Connection& operator=(const Http2Connection&) = delete;

  // Until the connection and all its streams have ended. `draining`: the end is near already.
  net::Task<void> run(bool draining);
  // Takes no new requests, and ends with the last of those in progress (RFC 9113 section 6.8).
  void drain();
  // Ends all requests.
  void cancel_streams();
  // Ends those that began under a configuration up to this one.
  void cut(std::uint64_t generation);
  // Sends what has been gathered.
  void turn_ends();
  // The client may still be sending: see Session::linger.
  [[nodiscard]] bool lingers() const { return lingers_; }

  // ---- for its streams and the callbacks of nghttp2 ----
  [[nodiscard]] Session& session() { return session_; }
  [[nodiscard]] Worker& worker() { return worker_; }
  [[nodiscard]] nghttp2_session* native() const { return native_; }
  [[nodiscard]] http::Http2Answer& answer() { return answer_; }
  // Makes frames of what is waiting, as far as windows and the buffer allow.
  void push();
  // The same, whatever the buffer holds already: for what must not stay behind.
  void push_all();
  void flush_later();
  void ended(Http2Stream& stream, Duration idle_timeout);
  // At the limit, the connection ends.
  void note(http::Nuisance what, std::uint32_t count = 1);

 private:
  friend struct Http2Callbacks;
  [[nodiscard]] TimePoint now() const;
  struct Limits {
    std::size_t head = 0;  // bytes of a request's head
    std::uint32_t streams = 0;
    std::uint32_t window = 0;
    std::uint32_t requests = 0;
    Duration age{0};
    Duration head_timeout{0};
    Duration send_timeout{0};
  };
  bool begin();
  // Until `most` bytes of frames are held.
  void pump(std::size_t most);
  void flush();
  void receive(std::string_view bytes);
  void feed(std::string_view bytes);
  [[nodiscard]] std::string_view greet(std::string_view bytes);
  bool read();
  void start_streams();
  net::Task<void> serve();
  net::Task<void> join();
  [[nodiscard]] bool over() const;
  [[nodiscard]] TimePoint deadline() const;
  void check_time();
  void go_away();
  // Ends it with an error of RFC 9113 section 7.
  void fail(std::uint32_t code, std::string_view why);
  void log(LogLevel level, std::string_view text);
  void set_idle(bool idle);
  [[nodiscard]] std::size_t held() const { return out_.size() - sent_; }

  // ---- what comes in ----
  Http2Stream* open_stream(std::int32_t id);
  void head_complete(Http2Stream& stream, bool ends);
  void stream_closed(Http2Stream& stream);
  // Resets a stream whose request has begun; the exchange finds its client gone.
  void refuse(Http2Stream& stream, std::uint32_t code);
  void drop_opening();

  Session& session_;
  Worker& worker_;
  Limits limits_;
  nghttp2_session* native_ = nullptr;
  http::Http2Guard guard_;
  http::Http2Scanner scanner_;
  std::size_t preface_left_ = http::Http2Scanner::kPrefaceSize;
  std::string first_head_;      // of the first frame, as far as it has come
  http::Http2Request request_;  // whose block is being received
  std::size_t trailer_size_ = 0;
  http::Http2Answer answer_;
  std::vector<Http2Stream*> streams_;  // with an exchange
  std::vector<Http2Stream*> ready_;    // whose exchange begins after this read
  std::vector<Http2Stream*> starting_;
  Http2Stream* opening_ = nullptr;  // whose head is not complete
  std::string out_;                 // frames; those before sent_ have gone
  std::size_t sent_ = 0;
  TimePoint last_sent_;
  TimePoint idle_since_;
  Duration idle_timeout_;
  TimePoint block_began_ = TimePoint::max();  // when an incomplete block of fields did
  TimePoint goaway_at_ = TimePoint::max();    // the second, final one
  net::Waiter* join_ = nullptr;
  bool greeted_ = false;  // by SETTINGS
  bool idle_ = false;
  bool going_ = false;     // GOAWAY is out: no new streams
  bool noticed_ = false;   // and was announced
  bool failed_ = false;    // GOAWAY with an error is out
  bool dead_ = false;      // the socket is of no use
  bool finished_ = false;  // nothing is read or sent any more
  bool lingers_ = false;
  bool flushes_ = false;  // in the worker's list
};

}  // namespace weir::proxy
