#include "probe/check.h"

#include <boost/asio/ssl/error.hpp>
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

}  // namespace

Check::Check(asio::io_context& io, const config::HealthCheckConfig& config,
             const upstream::PeerSpec& peer, std::shared_ptr<Connection> kept, Handler handler)
    : io_(io),
      timer_(io),
      config_(config),
      peer_(peer),
      endpoint_(with_port(peer.endpoint, config.port)),
      connection_(std::move(kept)),
      handler_(std::move(handler)) {}

void Check::start() {
  start_ = std::chrono::steady_clock::now();
  // One time-out over all steps: a peer that sends a byte now and then does not escape it.
  timer_.expires_after(config_.timeout);
  timer_.async_wait([self = shared_from_this()](const ErrorCode& error) {
    if (error || !self->handler_) return;
    const bool listens = self->opened_ && self->dialogue_ != nullptr;
    self->fail(CheckLayer::timeout, (listens ? self->dialogue_->waits_for() : self->step_) +
                                        " took longer than " +
                                        std::to_string(self->config_.timeout.count()) + " ms");
  });
  const bool fresh_enough =
      connection_ != nullptr && start_ - connection_->opened() < config_.keepalive_time;
  if (!fresh_enough) return connect();
  reused_ = true;
  speak();
}

void Check::connect() {
  step_ = "connecting";
  if (connection_ != nullptr) connection_->close();
  connection_ = std::make_shared<Connection>(io_);
  connection_->connect(endpoint_, [self = shared_from_this()](const ErrorCode& result) {
    self->on_connect(result);
  });
}

void Check::cancel() {
  handler_ = nullptr;
  timer_.cancel();
  if (connection_ != nullptr) connection_->close();
}

// Handlers run after cancel() and after the time-out too: an operation may have completed before it
// was cancelled. An empty handler_ tells.
void Check::on_connect(const ErrorCode& error) {
  if (!handler_) return;
  if (error) return fail_on_connect(error);
  introduce();
}

// The header of the PROXY protocol goes ahead of all, TLS included.
void Check::introduce() {
  const auto next = [this] {
    const bool speaks = config_.type != config::CheckType::tcp || config_.match.for_tcp();
    if (!speaks) return finish({.layer = CheckLayer::ok, .detail = "connected"});
    config_.tls != nullptr ? shake_hands() : speak();
  };
  out_ = local_proxy_header(config_.proxy_protocol);
  if (out_.empty()) return next();
  step_ = "sending the header of the PROXY protocol";
  connection_->write(out_, [self = shared_from_this(), next](const ErrorCode& error, std::size_t) {
    if (!self->handler_) return;
    error ? self->on_broken(error) : next();
  });
}

void Check::shake_hands() {
  step_ = "the handshake of TLS";
  const bool begun = connection_->begin_tls(
      {.context = *config_.tls,
       .name = config_.tls_name,
       .announce = config_.tls_announce,
       .http2 = config_.type == config::CheckType::grpc},
      [self = shared_from_this()](const ErrorCode& error) {
        if (!self->handler_) return;
        if (!error) return self->speak();
        const auto mistrust =
            self->verifies() ? self->connection_->certificate_error() : std::string();
        self->fail(CheckLayer::tls, mistrust.empty() ? error.message() : mistrust);
      });
  if (!begun) fail(CheckLayer::none, "out of memory");
}

bool Check::verifies() const { return config_.tls->verify() != tls::Verify::off; }

void Check::speak() {
  opened_ = false;
  dialogue_ = make_dialogue(config_, peer_);
  step_ = "sending the request";
  send(dialogue_->opening());
}

void Check::send(std::string bytes) {
  out_ = std::move(bytes);
  if (out_.empty()) return on_sent();
  connection_->write(out_, [self = shared_from_this()](const ErrorCode& error, std::size_t) {
    if (!self->handler_) return;
    error ? self->on_broken(error) : self->on_sent();
  });
}

void Check::on_sent() {
  if (!std::exchange(opened_, true)) {
    if (const auto verdict = dialogue_->sent()) return finish(*verdict);
  }
  read_more();
}

void Check::read_more() {
  connection_->read(asio::buffer(chunk_),
                    [self = shared_from_this()](const ErrorCode& error, std::size_t size) {
                      if (self->handler_) self->on_read(error, size);
                    });
}

void Check::on_read(const ErrorCode& error, std::size_t size) {
  if (error == asio::error::eof || error == asio::ssl::error::stream_truncated) {
    if (!start_afresh()) finish(dialogue_->ended());
    return;
  }
  if (error) return on_broken(error);
  reused_ = false;
  std::string reply;
  if (auto verdict = dialogue_->take({chunk_.data(), size}, reply)) {
    return finish(std::move(*verdict));
  }
  send(std::move(reply));
}

void Check::on_broken(const ErrorCode& error) {
  if (!start_afresh()) fail(CheckLayer::response, text_of(error));
}

// The peer has closed the connection while nobody used it: that is its good right.
bool Check::start_afresh() {
  if (!std::exchange(reused_, false)) return false;
  connect();
  return true;
}

void Check::fail_on_connect(const ErrorCode& error) {
  const bool local = is_local_fault(static_cast<std::error_code>(error));
  fail(local ? CheckLayer::none : CheckLayer::connect, text_of(error));
}

void Check::fail(CheckLayer layer, const std::string& detail) {
  finish({.layer = layer, .detail = detail});
}

bool Check::may_keep() const {
  return config_.keepalive_time > Duration{0} && dialogue_ != nullptr && dialogue_->reusable();
}

void Check::finish(upstream::CheckResult result) {
  result.took = std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - start_);
  const Handler handler = std::exchange(handler_, nullptr);
  if (may_keep()) kept_ = std::move(connection_);
  cancel();
  handler(std::move(result));
}

}  // namespace weir::probe
