#include "probe/check.h"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "probe/verdict.h"
#include "tls/context.h"

namespace weir::probe {
namespace {

using upstream::CheckLayer;
namespace asio = boost::asio;

std::string text_of(const boost::system::error_code& error) {
  return error_text(static_cast<std::error_code>(error));
}

Endpoint with_port(Endpoint endpoint, std::uint16_t port) {
  if (port != 0 && !endpoint.is_unix()) endpoint.ip.set_port(port);
  return endpoint;
}

asio::generic::stream_protocol::endpoint socket_address(const Endpoint& endpoint) {
  if (endpoint.is_unix()) return asio::local::stream_protocol::endpoint(endpoint.unix_path);
  return {endpoint.ip.data(), endpoint.ip.size()};
}

// Asio throws when the path of a Unix socket is too long for an address.
bool has_address(const Endpoint& endpoint) {
  return endpoint.unix_path.size() < sizeof(sockaddr_un::sun_path);
}

}  // namespace

Check::Check(asio::io_context& io, const config::HealthCheckConfig& config,
             const upstream::PeerSpec& peer, Handler handler)
    : socket_(io),
      timer_(io),
      config_(config),
      endpoint_(with_port(peer.endpoint, config.port)),
      request_(check_request(config, peer)),
      handler_(std::move(handler)) {}

void Check::start() {
  start_ = std::chrono::steady_clock::now();
  // One time-out over all steps: a peer that sends a byte now and then does not escape it.
  timer_.expires_after(config_.timeout);
  timer_.async_wait([self = shared_from_this()](const ErrorCode& error) {
    if (error || !self->handler_) return;
    self->fail(CheckLayer::timeout, std::string(self->step_) + " took longer than " +
                                        std::to_string(self->config_.timeout.count()) + " ms");
  });
  ErrorCode error = asio::error::name_too_long;
  if (has_address(endpoint_)) socket_.open(socket_address(endpoint_).protocol(), error);
  if (error) {
    asio::post(timer_.get_executor(),
               [self = shared_from_this(), error] { self->fail_on_connect(error); });
    return;
  }
  socket_.async_connect(
      socket_address(endpoint_),
      [self = shared_from_this()](const ErrorCode& result) { self->on_connect(result); });
}

void Check::cancel() {
  handler_ = nullptr;
  timer_.cancel();
  ErrorCode ignored;
  socket_.close(ignored);
}

// Handlers run after cancel() and after the time-out too: an operation may have completed before it
// was cancelled. An empty handler_ tells.
void Check::on_connect(const ErrorCode& error) {
  if (!handler_) return;
  if (error) return fail_on_connect(error);
  if (config_.tcp_only) return finish({.layer = CheckLayer::ok, .detail = "connected"});
  if (config_.tls != nullptr) return shake_hands();
  send_request();
}

Check::Tls::Tls(Socket& socket, const tls::Context& shared)
    : context((SSL_CTX_up_ref(shared.native()), shared.native())), stream(socket, context) {}

void Check::shake_hands() {
  step_ = "the handshake of TLS";
  tls_ = std::make_unique<Tls>(socket_, *config_.tls);
  // Sessions are not kept: a check is to see a whole handshake.
  if (!config_.tls->prepare_client(tls_->stream.native_handle(), config_.tls_name,
                                   config_.tls_announce, {})) {
    return fail(CheckLayer::none, "out of memory");
  }
  tls_->stream.async_handshake(
      asio::ssl::stream_base::client, [self = shared_from_this()](const ErrorCode& error) {
        if (!self->handler_) return;
        if (!error) return self->send_request();
        const auto verified = SSL_get_verify_result(self->tls_->stream.native_handle());
        self->fail(CheckLayer::connect, verified != X509_V_OK && self->verifies()
                                            ? X509_verify_cert_error_string(verified)
                                            : error.message());
      });
}

bool Check::verifies() const { return config_.tls->verify() != tls::Verify::off; }

void Check::send_request() {
  step_ = "sending the request";
  const auto sent = [self = shared_from_this()](const ErrorCode& error, std::size_t) {
    if (!self->handler_) return;
    if (error) return self->fail(CheckLayer::response, text_of(error));
    self->step_ = "the answer";
    self->read_more();
  };
  if (tls_ != nullptr) {
    asio::async_write(tls_->stream, asio::buffer(request_), sent);
  } else {
    asio::async_write(socket_, asio::buffer(request_), sent);
  }
}

void Check::read_more() {
  const auto got = [self = shared_from_this()](const ErrorCode& error, std::size_t size) {
    if (self->handler_) self->on_read(error, size);
  };
  if (tls_ != nullptr) {
    tls_->stream.async_read_some(asio::buffer(chunk_), got);
  } else {
    socket_.async_read_some(asio::buffer(chunk_), got);
  }
}

void Check::on_read(const ErrorCode& error, std::size_t size) {
  if (error == asio::error::eof || error == asio::ssl::error::stream_truncated) {
    return fail(CheckLayer::response, received_.empty() && skipped_ == 0
                                          ? "connection closed without an answer"
                                          : "connection closed inside the head of the answer");
  }
  if (error) return fail(CheckLayer::response, text_of(error));
  received_.append(chunk_.data(), size);
  if (!take_head()) read_more();
}

bool Check::take_head() {
  const http::Limits limits{.head = kHeadLimit, .line = kHeadLimit};
  for (;;) {
    const auto result =
        http::parse_response(received_, limits, parse_state_, http::Method::get, head_);
    if (result.status == http::ParseStatus::error) {
      fail(CheckLayer::response, std::string("invalid answer: ") + result.reason);
      return true;
    }
    if (result.status == http::ParseStatus::need_more) {
      if (skipped_ + received_.size() <= kHeadLimit) return false;
      fail(CheckLayer::response, "head of the answer is too large");
      return true;
    }
    // Interim answers precede the one that counts (RFC 9110 section 15.2).
    if (head_.status >= 200 || head_.status == 101) break;
    skipped_ += head_.size;
    received_.erase(0, head_.size);
    parse_state_ = {};
  }
  finish(judge_status(config_, head_.status));
  return true;
}

void Check::fail_on_connect(const ErrorCode& error) {
  if (!handler_) return;
  const bool local = is_local_fault(static_cast<std::error_code>(error));
  fail(local ? CheckLayer::none : CheckLayer::connect, text_of(error));
}

void Check::fail(CheckLayer layer, const std::string& detail) {
  finish({.layer = layer, .detail = detail});
}

void Check::finish(upstream::CheckResult result) {
  result.took = std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - start_);
  const Handler handler = std::exchange(handler_, nullptr);
  cancel();
  handler(std::move(result));
}

}  // namespace weir::probe
