#include "probe/connection.h"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "tls/context.h"

namespace weir::probe {
namespace {

namespace asio = boost::asio;

asio::generic::stream_protocol::endpoint socket_address(const Endpoint& endpoint) {
  if (endpoint.is_unix()) return asio::local::stream_protocol::endpoint(endpoint.unix_path);
  return {endpoint.ip.data(), endpoint.ip.size()};
}

// Asio throws when the path of a Unix socket is too long for an address.
bool has_address(const Endpoint& endpoint) {
  return endpoint.unix_path.size() < sizeof(sockaddr_un::sun_path);
}

}  // namespace

Connection::Connection(asio::io_context& io) : socket_(io) {}

void Connection::connect(const Endpoint& to, Done done) {
  ErrorCode error = asio::error::name_too_long;
  if (has_address(to)) socket_.open(socket_address(to).protocol(), error);
  if (error) {
    asio::post(socket_.get_executor(), [done = std::move(done), error] { done(error); });
    return;
  }
  socket_.async_connect(socket_address(to), std::move(done));
}

Connection::Tls::Tls(Socket& socket, const tls::Context& shared)
    : context((SSL_CTX_up_ref(shared.native()), shared.native())), stream(socket, context) {}

bool Connection::begin_tls(const TlsOptions& options, Done done) {
  tls_ = std::make_unique<Tls>(socket_, options.context);
  auto* ssl = tls_->stream.native_handle();
  // Sessions are not kept: a check is to see a whole handshake.
  if (!options.context.prepare_client(ssl, options.name, options.announce, {})) return false;
  static constexpr unsigned char h2[] = {2, 'h', '2'};
  if (options.http2 && SSL_set_alpn_protos(ssl, h2, sizeof h2) != 0) return false;
  tls_->stream.async_handshake(asio::ssl::stream_base::client, std::move(done));
  return true;
}

std::string Connection::certificate_error() const {
  const auto verified = SSL_get_verify_result(tls_->stream.native_handle());
  return verified == X509_V_OK ? "" : X509_verify_cert_error_string(verified);
}

void Connection::write(const std::string& bytes, Moved done) {
  if (tls_ != nullptr) {
    asio::async_write(tls_->stream, asio::buffer(bytes), std::move(done));
  } else {
    asio::async_write(socket_, asio::buffer(bytes), std::move(done));
  }
}

void Connection::read(asio::mutable_buffer to, Moved done) {
  if (tls_ != nullptr) {
    tls_->stream.async_read_some(to, std::move(done));
  } else {
    socket_.async_read_some(to, std::move(done));
  }
}

void Connection::close() {
  ErrorCode ignored;
  socket_.close(ignored);
}

}  // namespace weir::probe
