// All of Beast is in this file: it is slow to compile.
#include "admin/server.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
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
#include <utility>

#include "admin/events.h"
#include "admin/guard.h"
#include "admin/history.h"
#include "admin/snapshot.h"

namespace weir::admin {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using ErrorCode = boost::system::error_code;
using Protocol = asio::generic::stream_protocol;
using SteadyTime = std::chrono::steady_clock::time_point;

// Whatever others do, operators get in.
constexpr std::ptrdiff_t kMaxTrusted = 16;
constexpr std::ptrdiff_t kMaxOthers = 48;
constexpr std::uint32_t kHeadLimit = 8 * 1024;          // bytes
constexpr std::size_t kBufferLimit = 2 * kHeadLimit;    // bytes: a head, and what is pipelined
constexpr std::size_t kReadSize = 4096;                 // bytes
constexpr std::chrono::seconds kRequestTime{10};        // first byte to the end of the answer
constexpr std::chrono::seconds kIdleTime{60};           // between requests
constexpr std::chrono::seconds kLingerTime{2};          // after an answer to a bad request
constexpr std::size_t kLingerBytes = 256 * 1024;        // read and dropped meanwhile
constexpr std::chrono::milliseconds kAcceptPause{200};  // when it fails
constexpr int kAcceptsATurn = 16;

// What browsers are told with every page: nothing is from elsewhere, nothing may frame it.
constexpr std::array<std::pair<const char*, const char*>, 6> kSafety = {
    {{"Content-Security-Policy",
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
      "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
     {"X-Content-Type-Options", "nosniff"},
     {"X-Frame-Options", "DENY"},
     {"Referrer-Policy", "no-referrer"},
     {"Cross-Origin-Opener-Policy", "same-origin"},
     {"Cross-Origin-Resource-Policy", "same-origin"}}};

class Connection;
class Listener;

// Whether the client has asked an address of this machine alone.
bool is_loopback(Protocol::socket& socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket.native_handle(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return false;
  }
  if (address.ss_family == AF_INET6) {
    const auto& ip = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(&ip) || (IN6_IS_ADDR_V4MAPPED(&ip) && ip.s6_addr[12] == 127);
  }
  return address.ss_family == AF_INET &&
         ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr) >> 24 == 127;
}

}  // namespace

// What listeners and connections share. Outlives the Server while operations end.
struct ServerState : std::enable_shared_from_this<ServerState> {
  ServerState(asio::io_context& io_, Source source_)
      : io(io_),
        source(std::move(source_)),
        events(io, {.state = [this] { return snapshot(source); }, .clock = source.clock}),
        sampling(io) {
    source.history = &history;
  }
  // The first sample at once: rates are told from the second one on.
  void sample() {
    history.sample(source);
    sampling.expires_after(History::kEvery);
    sampling.async_wait([self = weak_from_this()](const ErrorCode& error) {
      const auto state = self.lock();
      if (!error && state != nullptr && !state->listeners.empty()) state->sample();
    });
  }

  asio::io_context& io;
  Source source;
  History history;
  Events events;
  asio::steady_timer sampling;
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
  [[nodiscard]] bool trusted() const { return trusted_; }
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
  bool watch(const Request& request);
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
                  .if_none_match = field(http::field::if_none_match),
                  .trusted = trusted_,
                  .loopback = is_loopback(stream_.socket())};
  const bool keep = head.keep_alive();
  const bool head_only = head.method() == http::verb::head;
  try {
    if (watch(request)) return;
    admin::answer(state_->source, request, [self = shared_from_this(), keep, head_only](Page page) {
      if (self->open_) self->answer(std::move(page), keep, head_only);
    });
  } catch (...) {
    answer(error_page(500), keep, head_only);
  }
}

// False: it is no request of one who may watch events. True: the connection is no more ours.
bool Connection::watch(const Request& request) {
  const auto path = request.target.substr(0, request.target.find('?'));
  if (path != kEventsPath || request.method != "GET") return false;
  if (state_->events.full() || !why_refused(state_->source, request).empty()) return false;
  open_ = false;
  forget();
  state_->events.add(stream_.release_socket(),
                     "HTTP/1.1 200 OK\r\nServer: weir\r\nContent-Type: text/event-stream\r\n"
                     "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
                     "Connection: close\r\n\r\nretry: 2000\n\n");
  return true;
}

void Connection::answer(Page page, bool keep_alive, bool head_only) {
  response_ = {};
  response_.version(parser_->get().version());
  response_.result(page.status);
  response_.set(http::field::server, "weir");
  if (page.etag.empty()) {
    response_.set(http::field::cache_control, "no-store");
  } else {  // kept, and asked for again each time
    response_.set(http::field::cache_control, "no-cache");
    response_.set(http::field::etag, page.etag);
  }
  if (page.status != 304) response_.set(http::field::content_type, page.type);
  for (const auto& [name, value] : kSafety) response_.set(name, value);
  if (page.retry_after > 0) {
    response_.set(http::field::retry_after, std::to_string(page.retry_after));
  }
  if (!page.allow.empty()) response_.set(http::field::allow, page.allow);
  if (page.status != 304) response_.content_length(page.body.size());
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
    const auto& all = state->connections;
    const auto alike = std::count_if(all.begin(), all.end(), [this](const Connection* connection) {
      return connection->trusted() == trusted_;
    });
    if (alike >= (trusted_ ? kMaxTrusted : kMaxOthers) && !shed(*state, trusted_)) return;
    try {
      std::make_shared<Connection>(state, std::move(socket), trusted_)->start();
    } catch (...) {  // no memory: this client goes without
    }
  }

  // Closes the connection of a kind that has been idle longest; false: all are in a request.
  static bool shed(ServerState& state, bool trusted) {
    Connection* longest = nullptr;
    for (Connection* connection : state.connections) {
      if (connection->trusted() != trusted || !connection->idle()) continue;
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
  const bool first = state_->listeners.empty();
  state_->listeners.push_back(std::make_shared<Listener>(state_, listening));
  state_->listeners.back()->wait();
  // Where a reload brings others, what was sampled stays.
  if (first && state_->sampling.expiry() <= std::chrono::steady_clock::now()) state_->sample();
}

void Server::close_trusted() {
  std::erase_if(state_->listeners, [](const auto& listener) {
    if (listener->trusted()) listener->close();
    return listener->trusted();
  });
}

void Server::close() {
  set_listeners({});
  state_->sampling.cancel();
  state_->events.close();
  const auto connections = state_->connections;  // closing takes them out
  for (Connection* connection : connections) connection->close();
}

}  // namespace weir::admin
