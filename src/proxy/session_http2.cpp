// Connections that speak HTTP/2: how they are told from others, and their streams' sessions.
#include <sys/socket.h>

#include <array>

#include "net/tls_stream.h"
#include "proxy/http2_connection.h"
#include "proxy/http2_stream.h"
#include "proxy/session.h"
#include "proxy/worker.h"
#include "tls/facts.h"

namespace weir::proxy {
namespace {

// What a client that knows begins with (RFC 9113 section 3.4).
constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

}  // namespace

Session::Session(Http2Stream& stream, Session& connection)
    : worker_(connection.worker_),
      connection_(&connection),
      stream_(&stream),
      waiter_(worker_.loop()),
      listen_text_(connection.listen_text_),
      peer_(connection.peer_),
      id_(connection.id_),
      opened_(connection.opened_) {}

void Session::cut(std::uint64_t generation) {
  if (http2_ != nullptr) http2_->cut(generation);
  if (is_of(generation)) cancel();
}

bool Session::fits(const Runtime& runtime) const {
  const auto* node = listen_in(runtime);
  if (node == nullptr) return false;
  const auto& server = server_of(*node);
  if (http2_ != nullptr && !node->speaks_http2(server)) return false;
  const auto* stream = client_.tls();
  const auto* rules = server.config->tls.get();
  // Each of its requests would be refused with 421.
  return stream == nullptr || rules == nullptr ||
         server.root.config().request.ssl_verify_client == tls::Verify::off ||
         rules->identity() == stream->connection().context->identity();
}

// Where the client has come to: with TLS, the server that SNI names.
const ServerNode& Session::server_of(const ListenNode& node) const {
  const auto* stream = client_.tls();
  if (stream == nullptr || stream->connection().server_name.empty()) {
    return node.hosts.default_server();
  }
  config::Regex::Captures captures;
  const config::Pattern* pattern = nullptr;
  return node.hosts.find(stream->connection().server_name, captures, pattern);
}

bool Session::may_ask_http2(const ListenNode& node) const {
  if (plain_on_tls_) return false;
  return client_.tls() != nullptr ? client_.tls()->connection().http2 : node.speaks_http2();
}

// With TLS, ALPN has agreed on it. Without, the first bytes tell, which are looked at and left.
net::Task<Session::Asked> Session::asks_http2(TimePoint deadline) {
  if (client_.tls() != nullptr) {
    std::string protocol;
    tls::append_alpn(client_.tls()->native(), protocol);
    co_return protocol == "h2" ? Asked::http2 : Asked::http1;
  }
  std::array<char, kPreface.size()> bytes;
  for (;;) {
    std::string_view have = std::string_view(pending_).substr(0, kPreface.size());
    if (have.empty() && client_.readable()) {
      const auto n = ::recv(client_.fd(), bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
      if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) co_return Asked::http1;
      if (n > 0) have = {bytes.data(), static_cast<std::size_t>(n)};
    }
    if (have == kPreface) co_return Asked::http2;
    if (kPreface.substr(0, have.size()) != have) co_return Asked::http1;
    if (!pending_.empty()) {
      // The rest of what the PROXY protocol left here.
      const auto got = client_.read(bytes.data(), kPreface.size() - have.size());
      if (got.ok()) {
        pending_.append(bytes.data(), got.size);
        continue;
      }
      if (!got.blocked()) co_return Asked::http1;
    }
    const bool begun = !have.empty();
    if (!begun) begin_idle();
    const net::Interest readable(client_.on_readable, waiter_);
    const auto wake = co_await waiter_.wait(deadline);
    end_idle();
    if (wake != net::Wake::ready) co_return begun ? Asked::http1 : Asked::nothing;
  }
}

net::Task<void> Session::run_http2(TimePoint since) {
  const auto* node = listen(worker_.runtime()->get());
  if (node == nullptr) co_return;
  // A reload may have come in between.
  draining_ = draining_ || !node->speaks_http2(server_of(*node));
  Afterwards after;
  const auto& request = node->hosts.default_server().root.config().request;
  after.lingering_time = request.lingering_time;
  after.lingering_timeout = request.lingering_timeout;
  const bool may_linger = request.lingering_close != config::LingeringClose::off;
  {
    Http2Connection connection(*this, worker_, *node, since);
    http2_ = &connection;
    co_await connection.run(draining_);
    http2_ = nullptr;
    if (!may_linger || !connection.lingers() || waiter_.cancelled()) co_return;
  }
  co_await end_tls();
  co_await linger(after);
}

}  // namespace weir::proxy
