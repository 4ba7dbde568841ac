// The connection of an attempt: a kept one or a new one, TLS and HTTP/2 on it, and back to those
// that are kept.
#include <algorithm>
#include <cerrno>

#include "net/socket.h"
#include "net/tls_stream.h"
#include "proxy/attempt.h"
#include "proxy/http2_peer.h"
#include "proxy/text.h"
#include "proxy/variables.h"

namespace weir::proxy {
namespace {

// A connection idle for longer than this is looked at once more before it is used: its end may
// have come since the loop last asked.
constexpr Duration kTrustIdle{100};

}  // namespace

bool Attempt::usable(PeerConnection& connection) const {
  const bool trusted = worker_.loop().now() - connection.idle_since < kTrustIdle;
  if (auto* http2 = connection.http2(); http2 != nullptr) {
    http2->happened(!trusted);
    return http2->reusable();
  }
  if (connection.readable()) return false;
  if (trusted) return true;
  return connection.peek().blocked();
}

bool Attempt::lease() {
  auto& stats = x_.pool_->stats[peer_index_]->of(worker_.index());
  while (!fresh_) {
    connection_ = x_.idle_->take(peer_index_, key_);
    if (connection_ == nullptr) break;
    if (usable(*connection_)) {
      reused_ = true;
      stats.reused.add();
      x_.attempts_.back().connect = Duration{0};
      return true;
    }
    stats.stale.add();
  }
  stats.connects.add();
  return false;
}

net::Task<Error> Attempt::connect() {
  auto& loop = worker_.loop();
  const auto began = loop.now();
  const auto deadline = began + config_.proxy_connect_timeout;
  connection_ = std::make_unique<PeerConnection>();
  connection_->key = key_;
  net::ConnectOptions options;
  if (const Error error = connect_options(options); !error.ok()) co_return error;
  int fd = net::begin_connect(peer_.spec.endpoint, options);
  int why = fd < 0 ? errno : 0;
  if (why == EMFILE || why == ENFILE) {
    fd = co_await worker_.connect_when_free(peer_.spec.endpoint, options, x_.waiter(), deadline);
    why = -fd;
  }
  if (fd < 0) co_return net::connect_failure(why);
  if (!connection_->open(loop, fd)) co_return Error{Errc::local_resources, errno};
  connection_->expect_connect();
  connection_->created = began;
  while (!connection_->writable()) {
    if (x_.client_left()) co_return Error{Errc::client_closed, 0};
    if (watch_.gone()) co_return Error{Errc::peer_gone, 0};
    const net::Interest peer(connection_->on_writable, x_.waiter());
    const net::Interest client(x_.client_slot(), x_.waiter());
    const auto wake = co_await x_.waiter().wait(deadline);
    if (wake == net::Wake::cancelled) co_return Error{Errc::shutting_down, 0};
    if (wake == net::Wake::timeout) co_return Error{Errc::connect_timed_out, 0};
  }
  if (const int sys = net::connect_result(fd); sys != 0) {
    co_return Error{sys == ETIMEDOUT ? Errc::connect_timed_out : Errc::connect_failed, sys};
  }
  if (!header_.empty()) {
    // It is the first that is sent: there is room for it.
    const auto sent = connection_->write(header_);
    if (sent.size != header_.size()) co_return Error{Errc::connect_failed, sent.error};
  }
  if (x_.peer_tls_) {
    if (const Error error = co_await handshake(deadline); !error.ok()) co_return error;
  }
  if (http2_ && !connection_->begin_http2(loop, x_.peer_tls_)) {
    co_return Error{Errc::local_resources, ENOMEM};
  }
  const Duration took = loop.now() - began;
  x_.attempts_.back().connect = took;
  x_.pool_->stats[peer_index_]->of(worker_.index()).connect.observe(took);
  co_return Error{};
}

// `proxy_protocol` of the upstream. A connection that begins with one client is for no other.
void Attempt::name_client() {
  const auto* upstream = x_.pool_->config;
  if (upstream == nullptr || upstream->proxy_protocol == ProxyProtocol::off) return;
  const auto& client = x_.client_address();
  const auto* proxied = x_.session_->proxied();
  const bool passed_on = proxied != nullptr && proxied->client == client;
  const auto server = passed_on ? proxied->server : net::local_address(x_.session_->client().fd());
  header_ = proxy_header(upstream->proxy_protocol, client.unmapped(), server.unmapped());
  key_.append("\n").append(header_);
}

// `proxy_ssl_name`, and what tells connections apart by it.
void Attempt::name_peer() {
  if (!config_.proxy_ssl_name.empty()) {
    evaluate(config_.proxy_ssl_name, x_, tls_name_);
  } else {
    tls_name_ = proxy_.upstream ? proxy_.host : x_.dynamic_host_;
    if (tls_name_.starts_with("unix:")) tls_name_ = "localhost";
  }
  // $proxy_host may have a port.
  if (tls_name_.starts_with('[')) {
    tls_name_ = tls_name_.substr(1, tls_name_.find(']') - 1);
  } else if (const auto colon = tls_name_.find(':');
             colon != std::string::npos && tls_name_.find(':', colon + 1) == std::string::npos) {
    tls_name_.resize(colon);
  }
  const auto context = reinterpret_cast<std::uintptr_t>(proxy_.tls_context.get());
  key_.append("\n").append(std::to_string(context)).append(" ").append(tls_name_);
  if (config_.proxy_ssl_server_name) key_.append(" sni");
}

net::Task<Error> Attempt::handshake(TimePoint deadline) {
  auto& record = x_.attempts_.back();
  std::string peer = peer_.text + " " + tls_name_;
  if (http2_) peer.append(" h2");
  auto made = net::TlsStream::client(*connection_, proxy_.tls_context, tls_name_,
                                     config_.proxy_ssl_server_name, peer, http2_);
  if (made == nullptr) co_return Error{Errc::local_resources, ENOMEM};
  connection_->use_tls(std::move(made));
  auto& stream = *connection_->tls();
  for (;;) {
    const auto step = stream.handshake();
    if (step == net::TlsStream::Step::done) co_return Error{};
    if (step == net::TlsStream::Step::failed) {
      record.detail = stream.error();
      proxy_.tls_context->forget_session(peer);
      co_return Error{stream.untrusted() ? Errc::peer_untrusted : Errc::peer_tls_failed, 0};
    }
    if (x_.client_left()) co_return Error{Errc::client_closed, 0};
    if (watch_.gone()) co_return Error{Errc::peer_gone, 0};
    const bool reads = step == net::TlsStream::Step::wants_read;
    const net::Interest ready(reads ? connection_->on_readable : connection_->on_writable,
                              x_.waiter());
    const net::Interest client(x_.client_slot(), x_.waiter());
    const auto wake = co_await x_.waiter().wait(deadline);
    if (wake == net::Wake::cancelled) co_return Error{Errc::shutting_down, 0};
    if (wake == net::Wake::timeout) {
      record.detail = "in the handshake of TLS";
      co_return Error{Errc::connect_timed_out, 0};
    }
  }
}

// `proxy_bind`, `proxy_socket_keepalive`.
Error Attempt::connect_options(net::ConnectOptions& options) {
  options.keepalive = config_.proxy_socket_keepalive;
  if (local_.empty()) return {};
  options.local = IpAddress::parse_with_port(local_);
  options.transparent = config_.proxy_bind.transparent;
  if (options.local) return {};
  x_.log(LogLevel::error, "invalid local address \"" + local_ + "\" in proxy_bind");
  return {Errc::local_resources, 0};
}

void Attempt::give_back(bool answer_whole, bool excess) {
  if (connection_ == nullptr || !answer_whole || excess) return;
  // HTTP/2 does without the rest of a request whose answer is whole.
  if (http2_ ? !connection_->http2()->end_request() : !request_sent()) return;
  const auto& response = x_.response_;
  if (!response.keep_alive || config_.proxy_http_version == config::PeerVersion::http10) return;
  const auto& keepalive = x_.pool_->keepalive;
  const auto now = worker_.loop().now();
  auto& connection = *connection_;
  if (++connection.requests >= keepalive.requests) return;
  if (now - connection.created >= keepalive.time) return;
  // One second before the node's own time-out: a request must not cross its FIN.
  Duration timeout = keepalive.timeout;
  if (response.keep_alive_timeout > 0) {
    timeout = std::min<Duration>(
        timeout, std::chrono::seconds(response.keep_alive_timeout) - std::chrono::seconds(1));
  }
  x_.idle_->give(std::move(connection_), peer_index_, now + timeout);
}

// ---- ends of HTTP/2
// --------------------------------------------------------------------------------

// By a peer of HTTP/2 that has not looked at the request.
bool Attempt::turned_away() const {
  if (connection_ == nullptr || connection_->http2() == nullptr) return false;
  const auto failure = connection_->http2()->failure();
  return failure == Http2Peer::Failure::refused || failure == Http2Peer::Failure::retired;
}

Error Attempt::http2_error(const Http2Peer& http2, int sys) const {
  const bool begun = x_.attempts_.back().received > 0;
  switch (http2.failure()) {
    case Http2Peer::Failure::bad:
      return {Errc::peer_bad_head, 0};
    case Http2Peer::Failure::refused:
      return {Errc::peer_unprocessed, 0};
    case Http2Peer::Failure::retired:
      return {reused_ ? Errc::peer_stale : Errc::peer_unprocessed, 0};
    case Http2Peer::Failure::reset:
      return {begun ? Errc::peer_bad_head : Errc::peer_reset, 0};
    case Http2Peer::Failure::closed:
    case Http2Peer::Failure::none:
      break;
  }
  if (begun) return {Errc::peer_bad_head, sys};
  if (reused_) return {Errc::peer_stale, sys};
  return {sys == 0 ? Errc::peer_closed : Errc::peer_reset, sys};
}

void Attempt::explain_end() {
  if (http2_) x_.attempts_.back().detail = connection_->http2()->detail();
}

}  // namespace weir::proxy
