// One check of one peer: connect, ask, read the head of the answer. Thread of its io_context.
// Held by shared_ptr; its own operations keep it alive until they have ended.
#pragma once

#include <array>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>

#include "base/address.h"
#include "base/clock.h"
#include "config/model.h"
#include "http/head.h"
#include "upstream/health.h"

namespace weir::tls {
class Context;
}

namespace weir::probe {

class Check : public std::enable_shared_from_this<Check> {
 public:
  // The result has layer `none` when the check could not be made for want of a local resource.
  using Handler = std::function<void(upstream::CheckResult)>;

  Check(boost::asio::io_context& io, const config::HealthCheckConfig& config,
        const upstream::PeerSpec& peer, Handler handler);
  // The handler is called once, never from within start() or after cancel().
  void start();
  void cancel();

 private:
  using ErrorCode = boost::system::error_code;

  void on_connect(const ErrorCode& error);
  void shake_hands();
  [[nodiscard]] bool verifies() const;
  void send_request();
  void read_more();
  void on_read(const ErrorCode& error, std::size_t size);
  // Looks at what has come; false: the head is not complete.
  bool take_head();
  void fail(upstream::CheckLayer layer, const std::string& detail);
  void fail_on_connect(const ErrorCode& error);
  void finish(upstream::CheckResult result);

  // Of heads, interim answers included; the body is not read.
  static constexpr std::uint32_t kHeadLimit = 64 * 1024;

  using Socket = boost::asio::generic::stream_protocol::socket;
  // Around `socket_`, for a check over TLS.
  struct Tls {
    Tls(Socket& socket, const tls::Context& context);
    boost::asio::ssl::context context;
    boost::asio::ssl::stream<Socket&> stream;
  };

  Socket socket_;
  std::unique_ptr<Tls> tls_;
  boost::asio::steady_timer timer_;
  config::HealthCheckConfig config_;
  Endpoint endpoint_;
  std::string request_;
  Handler handler_;  // empty once the check is over
  const char* step_ = "connecting";
  std::chrono::steady_clock::time_point start_;

  std::array<char, 4096> chunk_;
  std::string received_;
  std::size_t skipped_ = 0;  // bytes of interim answers
  http::ParseState parse_state_;
  http::ResponseHead head_;
};

}  // namespace weir::probe
