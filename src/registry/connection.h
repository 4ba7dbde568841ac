// One connection to a Redis server: TCP, Unix socket or TLS, commands in order, answers in order,
// a deadline for each. When anything goes wrong it is closed and says why; Link makes a new one.
// Thread of its io_context. Held by shared_ptr: its operations keep it until they have ended.
#pragma once

#include <array>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "registry/resp.h"
#include "registry/url.h"

namespace weir::tls {
class Context;
}

namespace weir::registry {

// Where to connect to, and how.
struct Target {
  Url::Node node;
  std::string unix_path;                    // not empty: instead of the node
  std::shared_ptr<const tls::Context> tls;  // not null: over TLS
  std::string tls_name;                     // that the certificate must be for; empty: node.host
  [[nodiscard]] std::string text() const;   // "10.0.0.1:6379", "unix:/run/redis.sock"
};

// What a request came to: an answer for each command, or why there is none.
struct Reply {
  std::string error;
  std::vector<RespValue> values;
  [[nodiscard]] bool ok() const { return error.empty(); }
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Done = std::function<void(Reply)>;

  Connection(boost::asio::io_context& io, Target target);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Connects, with TLS if asked for, within `timeout`; then calls `opened`. If that does not come
  // to pass `on_closed` is called instead. None of the callbacks is called from within open() or
  // send().
  void open(Duration timeout, std::function<void()> opened);
  // Sends `commands` (formatted), to which there are `count` answers, due within `timeout`.
  void send(std::string commands, std::size_t count, Duration timeout, Done done);
  // Closes it; nothing is called any more.
  void close();
  [[nodiscard]] const Target& target() const { return target_; }

  // A value nobody has asked for: what is published to a subscriber.
  std::function<void(const RespValue&)> on_push;
  // It has come to an end by itself; requests under way were told before.
  std::function<void(const std::string& error)> on_closed;

 private:
  using ErrorCode = boost::system::error_code;
  using Socket = boost::asio::generic::stream_protocol::socket;
  struct Tls;
  struct Request {
    std::size_t count;
    std::chrono::steady_clock::time_point due;
    Reply reply;
    Done done;
  };

  void resolve();
  void connect();
  void shake_hands();
  void set_open();
  void write_more();
  void read_more();
  void on_read(const ErrorCode& error, std::size_t size);
  void take(RespValue value);
  void set_deadline();
  void fail(const std::string& error);
  void shut();
  [[nodiscard]] bool closed() const { return state_ == State::closed; }

  enum class State : std::uint8_t { idle, opening, open, closed };
  boost::asio::io_context& io_;
  Target target_;
  Socket socket_;
  std::unique_ptr<Tls> tls_;
  boost::asio::ip::tcp::resolver resolver_;
  boost::asio::steady_timer timer_;
  std::vector<boost::asio::generic::stream_protocol::endpoint> endpoints_;
  std::size_t next_endpoint_ = 0;
  State state_ = State::idle;
  bool muted_ = false;  // closed from outside
  const char* step_ = "looking up the host";
  std::string connect_error_ = "the host has no address";
  std::function<void()> opened_;
  std::deque<Request> requests_;
  std::string unsent_;
  std::string sending_;
  std::array<char, 16 * 1024> chunk_;
  RespParser parser_;
};

// An authority-checking context for rediss://; `ca`: certificates in PEM, empty: the system's.
// Null, and `error` says why, if they cannot be read.
[[nodiscard]] std::shared_ptr<const tls::Context> make_tls(const std::string& ca, bool verify,
                                                           std::string& error);

}  // namespace weir::registry
