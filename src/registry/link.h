// A connection to Redis that mends itself: asks Sentinels where the master is, connects, logs in,
// chooses the database, and starts again with a growing pause when it breaks. While it is broken,
// requests fail at once. Control thread of whoever owns it; not to be moved.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>

#include "registry/backoff.h"
#include "registry/connection.h"
#include "registry/url.h"

namespace weir::registry {

struct LinkOptions {
  Url url;
  std::shared_ptr<const tls::Context> tls;  // for rediss://
  std::string tls_name;                     // empty: the host of the URL
  std::string channel;                      // not empty: subscribes to it and takes no requests
  Duration connect_timeout{2000};
  Duration reply_timeout{2000};
  Duration ping_interval{5000};  // a subscriber's proof that the server is there
};

class Link {
 public:
  struct Hooks {
    std::function<void()> on_up;  // logged in (and subscribed)
    // It was up or about to be, and is not. Called once a try.
    std::function<void(const std::string& error)> on_down;
    std::function<void(const std::string& payload)> on_message{};
  };

  Link(boost::asio::io_context& io, LinkOptions options, Random random, Hooks hooks);
  ~Link() { stop(); }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  void start();
  // Nothing is called any more.
  void stop();
  [[nodiscard]] bool up() const { return up_; }
  // Gives the present connection up and makes another: the server is not what it should be.
  void renew(const std::string& why);
  // Where it is connected to, or was last.
  [[nodiscard]] const std::string& server() const { return server_; }
  // `count` answers are expected. `done` is not called from within, nor after stop().
  void send(std::string commands, std::size_t count, Connection::Done done);

 private:
  void attempt();
  void ask_sentinel(std::size_t tried);
  void on_master(std::size_t tried, const Reply& reply);
  void next_sentinel(std::size_t tried, const std::string& error);
  void connect(Target target);
  void log_in();
  [[nodiscard]] std::string judge_login(const Reply& reply) const;
  void on_login(const Reply& reply);
  void come_up();
  void subscribe();
  void ping_later();
  void down(const std::string& error);
  [[nodiscard]] Target target_of(Url::Node node) const;

  boost::asio::io_context& io_;
  LinkOptions options_;
  Random random_;
  Hooks hooks_;
  Backoff backoff_;
  boost::asio::steady_timer timer_;
  std::shared_ptr<Connection> connection_;
  std::string server_;
  std::string sentinel_error_;
  std::size_t sentinel_ = 0;  // the one to ask first
  bool up_ = false;
  // Gone when it is stopped: a timer may have fired before it was cancelled.
  std::shared_ptr<bool> running_;
};

}  // namespace weir::registry
