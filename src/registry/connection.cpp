#include "registry/connection.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "tls/context.h"

namespace weir::registry {

namespace asio = boost::asio;

namespace {

std::string text_of(const boost::system::error_code& error) {
  if (error == asio::error::eof || error == asio::ssl::error::stream_truncated) {
    return "closed by the server";
  }
  return error.message();
}

}  // namespace

struct Connection::Tls {
  Tls(Socket& socket, const tls::Context& shared)
      : context((SSL_CTX_up_ref(shared.native()), shared.native())), stream(socket, context) {}
  asio::ssl::context context;
  asio::ssl::stream<Socket&> stream;
};

std::string Target::text() const { return unix_path.empty() ? node.text() : "unix:" + unix_path; }

Connection::Connection(asio::io_context& io, Target target)
    : io_(io), target_(std::move(target)), socket_(io), resolver_(io), timer_(io) {}

Connection::~Connection() = default;

void Connection::open(Duration timeout, std::function<void()> opened) {
  state_ = State::opening;
  opened_ = std::move(opened);
  // One time-out over all steps.
  timer_.expires_after(timeout);
  timer_.async_wait([self = shared_from_this()](const ErrorCode& error) {
    if (!error && self->state_ == State::opening) {
      self->fail(std::string(self->step_) + " took too long");
    }
  });
  asio::post(io_, [self = shared_from_this()] {
    if (!self->closed()) self->resolve();
  });
}

void Connection::resolve() {
  if (!target_.unix_path.empty()) {
    if (target_.unix_path.size() >= sizeof(sockaddr_un::sun_path)) {
      return fail("the path of the Unix socket is too long");
    }
    endpoints_.emplace_back(asio::local::stream_protocol::endpoint(target_.unix_path));
    return connect();
  }
  ErrorCode error;
  const auto literal = asio::ip::make_address(target_.node.host, error);
  if (!error) {
    endpoints_.emplace_back(asio::ip::tcp::endpoint(literal, target_.node.port));
    return connect();
  }
  resolver_.async_resolve(
      target_.node.host, std::to_string(target_.node.port),
      asio::ip::resolver_base::numeric_service,
      [self = shared_from_this()](const ErrorCode& result,
                                  const asio::ip::tcp::resolver::results_type& found) {
        if (self->closed()) return;
        if (result) return self->fail(text_of(result));
        for (const auto& entry : found) self->endpoints_.emplace_back(entry.endpoint());
        self->connect();
      });
}

// To one address after the other.
void Connection::connect() {
  step_ = "connecting";
  if (next_endpoint_ >= endpoints_.size()) return fail(connect_error_);
  ErrorCode error;
  socket_.close(error);
  socket_ = Socket(io_);
  socket_.async_connect(endpoints_[next_endpoint_++],
                        [self = shared_from_this()](const ErrorCode& result) {
                          if (self->closed()) return;
                          if (result) {
                            self->connect_error_ = text_of(result);
                            return self->connect();
                          }
                          if (self->target_.tls != nullptr) return self->shake_hands();
                          self->set_open();
                        });
}

void Connection::shake_hands() {
  step_ = "the handshake of TLS";
  const auto& name = target_.tls_name.empty() ? target_.node.host : target_.tls_name;
  tls_ = std::make_unique<Tls>(socket_, *target_.tls);
  auto* ssl = tls_->stream.native_handle();
  if (!target_.tls->prepare_client(ssl, name, true, {})) return fail("out of memory");
  tls_->stream.async_handshake(
      asio::ssl::stream_base::client, [self = shared_from_this()](const ErrorCode& error) {
        if (self->closed()) return;
        if (!error) return self->set_open();
        const auto verified = SSL_get_verify_result(self->tls_->stream.native_handle());
        const bool verifies = self->target_.tls->verify() != tls::Verify::off;
        self->fail("TLS: " + std::string(verified != X509_V_OK && verifies
                                             ? X509_verify_cert_error_string(verified)
                                             : text_of(error)));
      });
}

void Connection::set_open() {
  state_ = State::open;
  timer_.cancel();
  read_more();
  set_deadline();
  write_more();
  if (const auto opened = std::exchange(opened_, nullptr)) opened();
}

void Connection::send(std::string commands, std::size_t count, Duration timeout, Done done) {
  if (closed()) {
    asio::post(io_, [self = shared_from_this(), done = std::move(done)] {
      if (!self->muted_) done({.error = "not connected", .values = {}});
    });
    return;
  }
  requests_.push_back({.count = count,
                       .due = std::chrono::steady_clock::now() + timeout,
                       .reply = {},
                       .done = std::move(done)});
  unsent_ += commands;
  if (state_ != State::open) return;
  if (requests_.size() == 1) set_deadline();
  write_more();
}

void Connection::write_more() {
  if (closed() || !sending_.empty() || unsent_.empty()) return;
  sending_ = std::exchange(unsent_, {});
  const auto sent = [self = shared_from_this()](const ErrorCode& error, std::size_t) {
    if (self->closed()) return;
    if (error) return self->fail(text_of(error));
    self->sending_.clear();
    self->write_more();
  };
  if (tls_ != nullptr) {
    asio::async_write(tls_->stream, asio::buffer(sending_), sent);
  } else {
    asio::async_write(socket_, asio::buffer(sending_), sent);
  }
}

void Connection::read_more() {
  const auto got = [self = shared_from_this()](const ErrorCode& error, std::size_t size) {
    if (!self->closed()) self->on_read(error, size);
  };
  if (tls_ != nullptr) {
    tls_->stream.async_read_some(asio::buffer(chunk_), got);
  } else {
    socket_.async_read_some(asio::buffer(chunk_), got);
  }
}

void Connection::on_read(const ErrorCode& error, std::size_t size) {
  if (error) return fail(text_of(error));
  parser_.feed({chunk_.data(), size});
  while (true) {
    RespValue value;
    const auto status = parser_.next(value);
    if (status == RespParser::Status::error) return fail("bad answer: " + parser_.error());
    if (status == RespParser::Status::need_more) break;
    take(std::move(value));
    if (closed()) return;
  }
  read_more();
}

void Connection::take(RespValue value) {
  // Published messages come between the answers to a subscriber's own commands.
  const bool message = value.type == RespValue::Type::array && !value.items.empty() &&
                       value.items[0].text == "message";
  if (requests_.empty() || (message && on_push)) {
    if (const auto push = on_push) return push(value);
    return fail(value.is_error() ? value.text : "bad answer: one that nobody has asked for");
  }
  Request& request = requests_.front();
  request.reply.values.push_back(std::move(value));
  if (request.reply.values.size() < request.count) return;
  Request whole = std::move(request);
  requests_.pop_front();
  set_deadline();
  whole.done(std::move(whole.reply));
}

void Connection::set_deadline() {
  if (requests_.empty()) {
    timer_.cancel();
    return;
  }
  timer_.expires_at(requests_.front().due);
  timer_.async_wait([self = shared_from_this()](const ErrorCode& error) {
    if (!error && self->state_ == State::open) self->fail("the answer took too long");
  });
}

void Connection::fail(const std::string& error) {
  if (closed()) return;
  auto requests = std::exchange(requests_, {});
  const auto closed_hook = on_closed;
  shut();
  for (auto& request : requests) {
    request.done({.error = error, .values = {}});
    if (muted_) return;
  }
  if (closed_hook) closed_hook(error);
}

void Connection::close() {
  muted_ = true;
  shut();
}

void Connection::shut() {
  state_ = State::closed;
  timer_.cancel();
  resolver_.cancel();
  ErrorCode ignored;
  socket_.close(ignored);
  requests_.clear();
  opened_ = nullptr;
  // They may hold whoever called: let them go once that has returned.
  asio::post(io_, [push = std::exchange(on_push, nullptr),
                   closed_hook = std::exchange(on_closed, nullptr)] {});
}

std::shared_ptr<const tls::Context> make_tls(const std::string& ca, bool verify,
                                             std::string& error) {
  auto context = std::make_shared<tls::Context>(tls::Context::Side::client);
  if (!ca.empty()) {
    error = context->trust(ca, false);
    if (!error.empty()) return nullptr;
  } else if (SSL_CTX_set_default_verify_paths(context->native()) != 1) {
    error = "the system's certificates cannot be read";
    return nullptr;
  }
  context->use_verify(verify ? tls::Verify::on : tls::Verify::off, 9);
  context->name({});
  return context;
}

}  // namespace weir::registry
