// The beginning of a connection with TLS: is it TLS at all, whose certificate is asked for, the
// handshake.
#include <sys/socket.h>

#include "net/tls_stream.h"
#include "proxy/session.h"
#include "proxy/worker.h"
#include "tls/facts.h"

namespace weir::proxy {
namespace {

constexpr Duration kEndLimit{3000};  // for a client that makes no room for close_notify

// The first byte of a record that holds a handshake (RFC 8446 section 5.1), or of the hello of SSL
// 2.0, which is then refused as TLS does.
bool begins_tls(char byte) {
  constexpr char kHandshake = 0x16;
  return byte == kHandshake || (static_cast<unsigned char>(byte) & 0x80U) != 0;
}

}  // namespace

// False: the connection is to end. `node` may go with the first wait.
net::Task<bool> Session::begin_tls(const ListenNode& node) {
  // A reload while the first byte is awaited takes the node away: what is needed of it comes first.
  const bool http2 = node.speaks_http2();
  const auto& server = node.hosts.default_server();
  const auto& request = server.root.config().request;
  const auto timeout = request.ssl_handshake_timeout.value_or(request.client_header_timeout);
  const auto deadline = worker_.loop().now() + timeout;
  const auto context = server.config->tls;
  char first = 0;
  while (pending_.empty()) {
    if (client_.readable()) {
      const auto n = ::recv(client_.fd(), &first, 1, MSG_PEEK | MSG_DONTWAIT);
      if (n > 0) break;
      if (n == 0 || (errno != EAGAIN && errno != EINTR)) co_return false;
    }
    const net::Interest readable(client_.on_readable, waiter_);
    if (co_await waiter_.wait(deadline) != net::Wake::ready) co_return false;
  }
  if (!pending_.empty()) first = pending_.front();
  if (!begins_tls(first)) {
    plain_on_tls_ = true;
    co_return true;
  }
  auto stream = net::TlsStream::server(client_, context);
  if (stream == nullptr) co_return false;
  stream->feed(std::exchange(pending_, {}));
  stream->connection().choose = &Session::choose_context;
  stream->connection().chooser = this;
  stream->connection().challenges = worker_.challenges();
  stream->connection().http2 = http2;
  client_.use_tls(std::move(stream));
  const bool done = co_await handshake(deadline);
  // An ACME server has seen what it wanted to see.
  co_return done && !client_.tls()->connection().challenge;
}

net::Task<bool> Session::handshake(TimePoint deadline) {
  auto& stream = *client_.tls();
  for (;;) {
    const auto step = stream.handshake();
    if (step == net::TlsStream::Step::done) {
      auto& stats = worker_.mutable_stats();
      (tls::is_resumed(stream.native()) ? stats.tls_resumed : stats.tls_full).add();
      co_return true;
    }
    if (step == net::TlsStream::Step::failed) {
      const auto& connection = stream.connection();
      const bool awaited = !connection.refusal.empty() && connection.context->awaits_certificate();
      worker_.mutable_stats().tls_failed.add();
      log_handshake("TLS handshake failed: " + stream.error(),
                    awaited ? LogLevel::warn : LogLevel::info);
      co_return false;
    }
    const bool reads = step == net::TlsStream::Step::wants_read;
    const net::Interest ready(reads ? client_.on_readable : client_.on_writable, waiter_);
    const auto wake = co_await waiter_.wait(deadline);
    if (wake == net::Wake::timeout) {
      worker_.mutable_stats().tls_failed.add();
      log_handshake("client timed out in the TLS handshake");
    }
    if (wake != net::Wake::ready) co_return false;
  }
}

net::Task<void> Session::end_tls() {
  auto* tls = client_.tls();
  if (tls == nullptr) co_return;
  const auto deadline = worker_.loop().now() + kEndLimit;
  for (;;) {
    tls->end_writing();
    if (!tls->owes_end()) co_return;
    const net::Interest writable(client_.on_writable, waiter_);
    if (co_await waiter_.wait(deadline) != net::Wake::ready) co_return;
  }
}

void Session::log_handshake(const std::string& text, LogLevel level) {
  auto& log = worker_.log();
  if (!log.enabled(level) || !worker_.may_log(nullptr, level, text)) return;
  log.write(level, text + ", client: " + peer_.host_text() + ", server: " + listen_text_, id_);
}

// The server that SNI names; its context, or the default server's if it has no certificate.
std::shared_ptr<const tls::Context> Session::choose_context(void* session, std::string_view name) {
  auto& self = *static_cast<Session*>(session);
  const auto* node = self.listen(self.worker_.runtime()->get());
  if (node == nullptr || name.empty()) return nullptr;
  config::Regex::Captures captures;
  const config::Pattern* pattern = nullptr;
  const auto& server = node->hosts.find(name, captures, pattern);
  self.client_.tls()->connection().http2 = node->speaks_http2(server);
  return server.config->tls;
}

}  // namespace weir::proxy
