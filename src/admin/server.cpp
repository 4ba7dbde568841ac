// All of Beast is in this file: it is slow to compile.
#include "admin/server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <cerrno>
#include <optional>

namespace weir::admin {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using ErrorCode = boost::system::error_code;
using Protocol = asio::generic::stream_protocol;
using SteadyTime = std::chrono::steady_clock::time_point;

constexpr std::size_t kMaxConnections = 64;
constexpr std::uint32_t kHeadLimit = 8 * 1024;          // bytes
constexpr std::size_t kBufferLimit = 2 * kHeadLimit;    // bytes: a head, and what is pipelined
constexpr std::size_t kReadSize = 4096;                 // bytes
constexpr std::chrono::seconds kRequestTime{10};        // first byte to the end of the answer
constexpr std::chrono::seconds kIdleTime{60};           // between requests
constexpr std::chrono::seconds kLingerTime{2};          // after an answer to a bad request
constexpr std::size_t kLingerBytes = 256 * 1024;        // read and dropped meanwhile
constexpr std::chrono::milliseconds kAcceptPause{200};  // when it fails
constexpr int kAcceptsATurn = 16;

class Connection;
class Listener;

}  // namespace

// What listeners and connections share. Outlives the Server while operations end.
struct ServerState {
  ServerState(asio::io_context& io_, Source source_) : io(io_), source(std::move(source_)) {}
  asio::io_context& io;
  Source source;
  std::vector<std::shared_ptr<Listener>> listeners;
  std::vector<Connection*> connections;  // open ones
};

namespace {

using StatePtr = std::shared_ptr<ServerState>;

// A client of the admin listener. Its own operations hold it.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(StatePtr state, Protocol::socket socket, bool trusted)
      : state_(std::move(state)),
        stream_(std::move(socket)),
        buffer_(kBufferLimit),
        trusted_(trusted) {}
  ~Connection() { forget(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start() {
    state_->connections.push_back(this);
    wait_for_request();
  }
  void close() {
    open_ = false;
    forget();
    stream_.close();
  }
  [[nodiscard]] bool idle() const { return idle_; }
  [[nodiscard]] SteadyTime idle_since() const { return idle_since_; }

 private:
  // A completion handler that holds the connection and lets no exception out.
  template <class Step>
  auto then(Step step) {
    return [self = shared_from_this(), step](const ErrorCode& error, std::size_t size) {
      if (!self->open_) return;
      try {
        (self.get()->*step)(error, size);
      } catch (...) {
        self->close();
      }
    };
  }

  void wait_for_request();
  void on_first_bytes(const ErrorCode& error, std::size_t size);
  void read_head();
  void on_head(const ErrorCode& error, std::size_t size);
  void refuse(unsigned status);
  void serve();
  void answer(Page page, bool keep_alive, bool head_only);
  void on_written(const ErrorCode& error, std::size_t size);
  void linger();
  void on_lingered(const ErrorCode& error, std::size_t size);
  void forget() { std::erase(state_->connections, this); }

  StatePtr state_;
  beast::basic_stream<Protocol> stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::empty_body>> parser_;
  http::response<http::string_body> response_;
  const bool trusted_;
  bool open_ = true;
  bool idle_ = false;
  SteadyTime idle_since_{};
  std::size_t lingered_ = 0;  // bytes
};

void Connection::wait_for_request() {
  if (buffer_.size() > 0) {  // pipelined
    stream_.expires_after(kRequestTime);
    return read_head();
  }
  idle_ = true;
  idle_since_ = std::chrono::steady_clock::now();
  stream_.expires_after(kIdleTime);
  stream_.async_read_some(buffer_.prepare(kReadSize), then(&Connection::on_first_bytes));
}

void Connection::on_first_bytes(const ErrorCode& error, std::size_t size) {
  if (error) return close();
  idle_ = false;
  buffer_.commit(size);
  // Stands until the answer is sent: a client that trickles gains nothing.
  stream_.expires_after(kRequestTime);
  read_head();
}

void Connection::read_head() {
  parser_.emplace();
  parser_->header_limit(kHeadLimit);
  http::async_read_header(stream_, buffer_, *parser_, then(&Connection::on_head));
}

void Connection::on_head(const ErrorCode& error, std::size_t) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return refuse(431);
  }
  if (error == http::error::end_of_stream || error == http::error::partial_message) return close();
  if (error.category() == http::make_error_code(http::error::bad_method).category()) {
    return refuse(400);
  }
  if (error) return close();
  if (!parser_->is_done()) return refuse(413);  // a body follows
  serve();
}

void Connection::refuse(unsigned status) { answer(error_page(status), false, false); }

// The answer may come later: nothing of the request is needed then but what is kept here.
void Connection::serve() {
  const auto& head = parser_->get();
  const auto field = [&](auto name) -> std::string_view {
    const auto value = head[name];
    return {value.data(), value.size()};
  };
  const auto method = head.method_string();
  const auto target = head.target();
  Request request{.method = {method.data(), method.size()},
                  .target = {target.data(), target.size()},
                  .host = field(http::field::host),
                  .authorization = field(http::field::authorization),
                  .origin = field(http::field::origin),
                  .fetch_site = field("Sec-Fetch-Site"),
                  .trusted = trusted_};
  const bool keep = head.keep_alive();
  const bool head_only = head.method() == http::verb::head;
  try {
    admin::answer(state_->source, request, [self = shared_from_this(), keep, head_only](Page page) {
      if (self->open_) self->answer(std::move(page), keep, head_only);
    });
  } catch (...) {
    answer(error_page(500), keep, head_only);
  }
}

void Connection::answer(Page page, bool keep_alive, bool head_only) {
  response_ = {};
  response_.version(parser_->get().version());
  response_.result(page.status);
  response_.set(http::field::server, "weir");
  response_.set(http::field::content_type, page.type);
  response_.set(http::field::cache_control, "no-store");
  response_.set("X-Content-Type-Options", "nosniff");
  if (!page.allow.empty()) response_.set(http::field::allow, page.allow);
  response_.content_length(page.body.size());
  response_.keep_alive(keep_alive);
  if (!head_only) response_.body() = std::move(page.body);
  http::async_write(stream_, response_, then(&Connection::on_written));
}

void Connection::on_written(const ErrorCode& error, std::size_t) {
  if (error) return close();
  if (response_.keep_alive()) return wait_for_request();
  linger();
}

// Closing with unread bytes would reset the connection, and the client might lose the answer.
void Connection::linger() {
  ErrorCode ignored;
  stream_.socket().shutdown(Protocol::socket::shutdown_send, ignored);
  stream_.expires_after(kLingerTime);
  buffer_.clear();
  stream_.async_read_some(buffer_.prepare(kReadSize), then(&Connection::on_lingered));
}

void Connection::on_lingered(const ErrorCode& error, std::size_t size) {
  lingered_ += size;
  if (error || lingered_ > kLingerBytes) return close();
  stream_.async_read_some(buffer_.prepare(kReadSize), then(&Connection::on_lingered));
}

// A listening socket. Held by the state and by its own operations.
class Listener : public std::enable_shared_from_this<Listener> {
 public:
  Listener(const StatePtr& state, const Server::Listening& listening)
      : state_(state), socket_(state->io, listening.fd), trusted_(listening.trusted) {
    ErrorCode ignored;
    socket_.native_non_blocking(true, ignored);
  }

  void wait() {
    socket_.async_wait(asio::posix::stream_descriptor::wait_read,
                       [self = shared_from_this()](const ErrorCode& error) {
                         if (!error) self->accept();
                       });
  }
  void close() {
    ErrorCode ignored;
    socket_.close(ignored);
    timer_.cancel();
  }
  [[nodiscard]] bool trusted() const { return trusted_; }

 private:
  void accept() {
    const auto state = state_.lock();
    if (state == nullptr || !socket_.is_open()) return;
    for (int i = 0; i < kAcceptsATurn; ++i) {
      sockaddr_storage address{};
      socklen_t size = sizeof address;
      const int fd = ::accept4(socket_.native_handle(), reinterpret_cast<sockaddr*>(&address),
                               &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) {
        serve(state, fd, address.ss_family);
      } else if (errno == EAGAIN) {
        break;
      } else if (errno != ECONNABORTED && errno != EINTR) {
        return pause();
      }
    }
    wait();
  }

  // For want of a descriptor, say. The socket stays readable, so waiting for that would spin.
  void pause() {
    timer_.expires_after(kAcceptPause);
    timer_.async_wait([self = shared_from_this()](const ErrorCode& error) {
      if (!error) self->accept();
    });
  }

  void serve(const StatePtr& state, int fd, int family) const {
    Protocol::socket socket(state->io);
    ErrorCode error;
    socket.assign(Protocol(family, 0), fd, error);
    if (error) {
      ::close(fd);
      return;
    }
    if (state->connections.size() >= kMaxConnections && !shed(*state)) return;
    try {
      std::make_shared<Connection>(state, std::move(socket), trusted_)->start();
    } catch (...) {  // no memory: this client goes without
    }
  }

  // Closes the connection that has been idle longest; false: all are in a request.
  static bool shed(ServerState& state) {
    Connection* longest = nullptr;
    for (Connection* connection : state.connections) {
      if (!connection->idle()) continue;
      if (longest == nullptr || connection->idle_since() < longest->idle_since()) {
        longest = connection;
      }
    }
    if (longest != nullptr) longest->close();
    return longest != nullptr;
  }

  std::weak_ptr<ServerState> state_;
  asio::posix::stream_descriptor socket_;
  const bool trusted_;
  asio::steady_timer timer_{socket_.get_executor()};
};

}  // namespace

Server::Server(asio::io_context& io, Source source)
    : state_(std::make_shared<ServerState>(io, std::move(source))) {}

Server::~Server() {
  close();
  state_->source = {};
}

void Server::set_listeners(std::vector<Listening> listeners) {
  for (const auto& listener : state_->listeners) listener->close();
  state_->listeners.clear();
  for (const auto& listening : listeners) add_listener(listening);
}

void Server::add_listener(const Listening& listening) {
  state_->listeners.push_back(std::make_shared<Listener>(state_, listening));
  state_->listeners.back()->wait();
}

void Server::close_trusted() {
  std::erase_if(state_->listeners, [](const auto& listener) {
    if (listener->trusted()) listener->close();
    return listener->trusted();
  });
}

void Server::close() {
  set_listeners({});
  const auto connections = state_->connections;  // closing takes them out
  for (Connection* connection : connections) connection->close();
}

}  // namespace weir::admin
