// A connection to a peer that checks are made over: plain or with TLS. Thread of its io_context.
// Held by shared_ptr; whoever starts an operation keeps it and the buffers alive until the handler
// has run. After close() the handlers of what is under way still run, with an error.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/address.h"

namespace weir::tls {
class Context;
}

namespace weir::probe {

class Connection {
 public:
  using ErrorCode = boost::system::error_code;
  using Done = std::function<void(const ErrorCode&)>;
  using Moved = std::function<void(const ErrorCode&, std::size_t)>;

  explicit Connection(boost::asio::io_context& io);

  // `done` is never called from within it.
  void connect(const Endpoint& to, Done done);
  // How a handshake is made.
  struct TlsOptions {
    const tls::Context& context;
    const std::string& name;  // that the certificate must be for
    bool announce = false;    // whether it is told
    bool http2 = false;       // whether HTTP/2 is asked for (ALPN)
  };
  // False: out of memory, `done` is not called.
  [[nodiscard]] bool begin_tls(const TlsOptions& options, Done done);
  // After a handshake that failed: what is wrong with the certificate; empty: nothing.
  [[nodiscard]] std::string certificate_error() const;
  void write(const std::string& bytes, Moved done);
  void read(boost::asio::mutable_buffer to, Moved done);
  void close();

  [[nodiscard]] std::chrono::steady_clock::time_point opened() const { return opened_; }

 private:
  using Socket = boost::asio::generic::stream_protocol::socket;
  // Around `socket_`.
  struct Tls {
    Tls(Socket& socket, const tls::Context& context);
    boost::asio::ssl::context context;
    boost::asio::ssl::stream<Socket&> stream;
  };

  Socket socket_;
  std::unique_ptr<Tls> tls_;
  std::chrono::steady_clock::time_point opened_ = std::chrono::steady_clock::now();
};

}  // namespace weir::probe
