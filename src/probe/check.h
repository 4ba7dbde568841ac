// One check of one peer: connect (or use the connection kept from the check before), speak, judge.
// Thread of its io_context. Held by shared_ptr; its own operations keep it alive until they have
// ended.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>

#include "base/address.h"
#include "base/clock.h"
#include "config/model.h"
#include "probe/connection.h"
#include "probe/dialogue.h"
#include "upstream/health.h"

namespace weir::probe {

class Check : public std::enable_shared_from_this<Check> {
 public:
  // The result has layer `none` when the check could not be made for want of a local resource.
  using Handler = std::function<void(upstream::CheckResult)>;

  // `kept`: of an earlier check of the same peer; may be null, and may be closed by now.
  Check(boost::asio::io_context& io, const config::HealthCheckConfig& config,
        const upstream::PeerSpec& peer, std::shared_ptr<Connection> kept, Handler handler);
  // The handler is called once, never from within start() or after cancel().
  void start();
  void cancel();
  // From within the handler: the connection, if it may carry another check; else null.
  [[nodiscard]] std::shared_ptr<Connection> take_connection() { return std::move(kept_); }

 private:
  using ErrorCode = boost::system::error_code;

  void connect();
  void on_connect(const ErrorCode& error);
  void introduce();
  void shake_hands();
  [[nodiscard]] bool verifies() const;
  void speak();
  void send(std::string bytes);
  void on_sent();
  void read_more();
  void on_read(const ErrorCode& error, std::size_t size);
  void on_broken(const ErrorCode& error);
  // The kept connection has ended before it gave anything: true if a new one is made.
  bool start_afresh();
  void fail(upstream::CheckLayer layer, const std::string& detail);
  void fail_on_connect(const ErrorCode& error);
  void finish(upstream::CheckResult result);
  [[nodiscard]] bool may_keep() const;

  boost::asio::io_context& io_;
  boost::asio::steady_timer timer_;
  config::HealthCheckConfig config_;
  upstream::PeerSpec peer_;
  Endpoint endpoint_;
  std::shared_ptr<Connection> connection_;
  std::shared_ptr<Connection> kept_;
  std::unique_ptr<Dialogue> dialogue_;
  Handler handler_;  // empty once the check is over
  std::string step_ = "connecting";
  std::chrono::steady_clock::time_point start_;
  bool reused_ = false;  // the connection has carried a check before, and nothing has come in this
  bool opened_ = false;  // the opening has been sent
  std::string out_;
  std::array<char, 4096> chunk_;
};

}  // namespace weir::probe
