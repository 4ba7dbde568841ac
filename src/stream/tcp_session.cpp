#include "stream/tcp_session.h"

#include "net/tls_stream.h"
#include "tls/facts.h"

namespace weir::stream {

void TcpSession::start(proxy::Worker& worker, int fd, const std::string& listen_text,
                       const IpAddress& peer, std::uint64_t id) {
  const Origin origin{listen_text, peer, net::local_address(fd), id, false};
  std::unique_ptr<TcpSession> session(new TcpSession(worker, origin));
  if (!session->client_.open(worker.loop(), fd)) return;
  net::spawn(session.release()->run());
}

net::Task<void> TcpSession::run() {
  const std::unique_ptr<TcpSession> self(this);
  log(LogLevel::info, "client connected");
  finish(co_await serve());
  peer_.close();
  if (!waiter().cancelled()) co_await linger();
}

net::Task<int> TcpSession::serve() {
  if (listen().proxy_protocol && !co_await read_proxied()) co_return kBadRequest;
  if (const int status = admit(); status != kGoesOn) co_return status;
  if (listen().ssl) {
    if (const int status = co_await begin_tls(); status != kGoesOn) co_return status;
  }
  if (config().options.ssl_preread) {
    if (const int status = co_await preread(); status != kGoesOn) co_return status;
  }
  if (config().answer) co_return co_await answer();
  if (const int status = co_await choose_pool(); status != kGoesOn) co_return status;
  co_return co_await pass_on();
}

// ---- what comes first
// ----------------------------------------------------------------------------

net::Task<bool> TcpSession::read_proxied() {
  using proxy::ProxiedAddresses;
  const auto deadline = worker().loop().now() + config().options.proxy_protocol_timeout;
  for (;;) {
    if (client_.readable()) {
      const auto got = client_.read(worker().scratch().data(), ProxiedAddresses::kMaxHeader);
      if (!got.ok() && !got.blocked()) co_return false;
      if (got.ok()) early_.append(worker().scratch().data(), got.size);
    }
    auto parsed = ProxiedAddresses::parse(early_);
    if (parsed.status == ProxiedAddresses::Status::bad) {
      log(LogLevel::error, "broken header of the PROXY protocol");
      co_return false;
    }
    if (parsed.status == ProxiedAddresses::Status::complete) {
      proxied_ = std::make_unique<ProxiedAddresses>(std::move(parsed.addresses));
      early_.erase(0, parsed.size);
      // What is encrypted counts when it has been decrypted.
      if (!listen().ssl) count_received(early_.size());
      co_return true;
    }
    if (client_.readable()) continue;
    if (!(co_await wait_for(client_.on_readable, deadline)).ok()) co_return false;
  }
}

net::Task<Error> TcpSession::wait_for(net::Waiter*& slot, TimePoint deadline) {
  const net::Interest ready(slot, waiter());
  switch (co_await waiter().wait(deadline)) {
    case net::Wake::ready:
      break;
    case net::Wake::timeout:
      co_return Error{Errc::client_timed_out, 0};
    case net::Wake::cancelled:
      co_return Error{Errc::shutting_down, 0};
  }
  co_return Error{};
}

net::Task<int> TcpSession::begin_tls() {
  constexpr Duration kUsual{60000};
  const auto deadline = worker().loop().now() + request().ssl_handshake_timeout.value_or(kUsual);
  auto made = net::TlsStream::server(client_, config().tls);
  if (made == nullptr) co_return kInternalError;
  made->feed(std::exchange(early_, {}));
  client_.use_tls(std::move(made));
  auto& stream = *client_.tls();
  for (;;) {
    const auto step = stream.handshake();
    if (step == net::TlsStream::Step::done) break;
    if (step == net::TlsStream::Step::failed) {
      log(LogLevel::info, "TLS handshake failed: " + stream.error());
      co_return kInternalError;
    }
    const bool reads = step == net::TlsStream::Step::wants_read;
    const Error error =
        co_await wait_for(reads ? client_.on_readable : client_.on_writable, deadline);
    if (error.what == Errc::client_timed_out) {
      log(LogLevel::info, "client timed out in the TLS handshake");
    }
    if (!error.ok()) co_return kInternalError;
  }
  co_return accepts_certificate() ? kGoesOn : kInternalError;
}

bool TcpSession::accepts_certificate() {
  const auto verify = request().ssl_verify_client;
  if (verify == tls::Verify::off) return true;
  auto* ssl = client_.tls()->native();
  std::string problem(tls::certificate_error(ssl, verify == tls::Verify::optional_no_ca));
  if (!problem.empty()) {
    problem = "client SSL certificate verify error: " + problem;
  } else if (verify == tls::Verify::on && !tls::has_certificate(ssl)) {
    problem = "client sent no required SSL certificate";
  }
  if (problem.empty()) return true;
  log(LogLevel::info, problem);
  tls::forget_session(ssl);
  return false;
}

net::Task<int> TcpSession::preread() {
  const auto& options = config().options;
  const auto deadline = worker().loop().now() + options.preread_timeout;
  for (;;) {
    if (tls::read_client_hello(early_, hello_) != tls::HelloStatus::more) co_return kGoesOn;
    if (early_.size() >= options.preread_buffer_size) {
      log(LogLevel::error, "what the client asks for does not fit into preread_buffer_size");
      co_return kBadRequest;
    }
    if (client_.readable()) {
      const auto got =
          client_.read(worker().scratch().data(), options.preread_buffer_size - early_.size());
      if (got.ok()) {
        early_.append(worker().scratch().data(), got.size);
        count_received(got.size);
        continue;
      }
      if (!got.blocked()) co_return kOk;
    }
    const Error error = co_await wait_for(client_.on_readable, deadline);
    if (!error.ok()) co_return kOk;
  }
}

// `return`
net::Task<int> TcpSession::answer() {
  const auto text = text_of(*config().answer);
  const auto deadline = worker().loop().now() + config().options.proxy_timeout;
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto sent = client_.write(rest);
    if (!sent.ok() && !sent.blocked()) break;
    rest.remove_prefix(sent.size);
    count_sent(sent.size);
    if (rest.empty()) break;
    if (!(co_await wait_for(client_.on_writable, deadline)).ok()) break;
  }
  co_return kOk;
}

// ---- the peer
// ------------------------------------------------------------------------------------

net::Task<int> TcpSession::pass_on() {
  begin_tries();
  for (;;) {
    if (waiter().cancelled()) co_return kUnavailable;
    auto* peer = pick();
    if (peer == nullptr) co_return kBadGateway;
    const proxy::PeerWatch watch(worker().watches(), *peer, waiter());
    const Error error = co_await connect(*peer, watch);
    if (error.ok()) {
      peer_connected();
      log(LogLevel::info, "connected to upstream");
      const auto end = co_await relay(watch);
      conclude(end);
      end_attempt(upstream::Outcome::success);
      co_return kOk;
    }
    peer_.close();
    if (!try_again(error)) co_return kBadGateway;
  }
}

net::Task<Error> TcpSession::connect(const upstream::Peer& peer, const proxy::PeerWatch& watch) {
  auto& loop = worker().loop();
  const auto deadline = loop.now() + request().proxy_connect_timeout;
  net::ConnectOptions options;
  if (const Error error = connect_options(options); !error.ok()) co_return error;
  int fd = net::begin_connect(peer.spec.endpoint, options);
  int why = fd < 0 ? errno : 0;
  if (why == EMFILE || why == ENFILE) {
    fd = co_await worker().connect_when_free(peer.spec.endpoint, options, waiter(), deadline);
    why = -fd;
  }
  if (fd < 0) co_return net::connect_failure(why);
  if (!peer_.open(loop, fd)) co_return Error{Errc::local_resources, errno};
  peer_.expect_connect();
  while (!peer_.writable()) {
    if (client_.broken()) co_return Error{Errc::client_closed, 0};
    if (watch.gone()) co_return Error{Errc::peer_gone, 0};
    const net::Interest gone(client_.on_hang_up, waiter());
    const Error error = co_await wait_for(peer_.on_writable, deadline);
    if (error.what == Errc::client_timed_out) co_return Error{Errc::connect_timed_out, 0};
    if (!error.ok()) co_return error;
  }
  if (const int sys = net::connect_result(fd); sys != 0) {
    co_return Error{sys == ETIMEDOUT ? Errc::connect_timed_out : Errc::connect_failed, sys};
  }
  co_return co_await begin_peer(peer, deadline);
}

// `proxy_protocol`, then `proxy_ssl`.
net::Task<Error> TcpSession::begin_peer(const upstream::Peer& peer, TimePoint deadline) {
  const auto header = header_for_peer();
  std::string_view rest = header;
  while (!rest.empty()) {
    const auto sent = peer_.write(rest);
    if (!sent.ok() && !sent.blocked()) co_return Error{Errc::connect_failed, sent.error};
    rest.remove_prefix(sent.size);
    attempt().sent += sent.size;
    if (rest.empty()) break;
    const Error error = co_await wait_for(peer_.on_writable, deadline);
    if (error.what == Errc::client_timed_out) co_return Error{Errc::connect_timed_out, 0};
    if (!error.ok()) co_return error;
  }
  if (!config().options.proxy_ssl) co_return Error{};
  co_return co_await peer_handshake(peer, deadline);
}

// The server's `proxy_protocol`, or that of the upstream.
std::string TcpSession::header_for_peer() const {
  const auto& options = config().options;
  auto version = upstream_proxy_protocol();
  if (options.proxy_protocol) {
    version = options.proxy_protocol_version == 2 ? ProxyProtocol::v2 : ProxyProtocol::v1;
  }
  return proxy_header(version, client_address().unmapped(), origin().local.unmapped());
}

net::Task<Error> TcpSession::peer_handshake(const upstream::Peer& peer, TimePoint deadline) {
  const auto& r = request();
  std::string name = config().host;
  if (!r.proxy_ssl_name.empty()) {
    name = text_of(r.proxy_ssl_name);
  } else if (name.empty()) {
    const auto target = text_of(config().target);
    name = target.starts_with("unix:") ? "localhost" : target;
  }
  if (const auto colon = name.find(':');
      colon != std::string::npos && name.find(':', colon + 1) == std::string::npos) {
    name.resize(colon);
  }
  const std::string key = peer.text + " " + name;
  auto made = net::TlsStream::client(peer_, config().peer_tls, name, r.proxy_ssl_server_name, key);
  if (made == nullptr) co_return Error{Errc::local_resources, ENOMEM};
  peer_.use_tls(std::move(made));
  auto& stream = *peer_.tls();
  for (;;) {
    const auto step = stream.handshake();
    if (step == net::TlsStream::Step::done) co_return Error{};
    if (step == net::TlsStream::Step::failed) {
      attempt().detail = stream.error();
      config().peer_tls->forget_session(key);
      co_return Error{stream.untrusted() ? Errc::peer_untrusted : Errc::peer_tls_failed, 0};
    }
    const bool reads = step == net::TlsStream::Step::wants_read;
    const Error error = co_await wait_for(reads ? peer_.on_readable : peer_.on_writable, deadline);
    if (error.what == Errc::client_timed_out) {
      attempt().detail = "in the handshake of TLS";
      co_return Error{Errc::connect_timed_out, 0};
    }
    if (!error.ok()) co_return error;
  }
}

}  // namespace weir::stream
