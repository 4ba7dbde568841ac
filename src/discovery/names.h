// The addresses behind the host names among the peers: looked up when a configuration is loaded,
// and again every few seconds from then on. A name that cannot be looked up keeps the addresses
// that it had. Control thread; the system's resolver works in a thread of its own.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "config/model.h"
#include "discovery/static.h"

namespace weir::discovery {

// The host names among the peers of a model.
[[nodiscard]] std::set<std::string> host_names(const config::Model& model);

class Names {
 public:
  struct Options {
    Duration interval{std::chrono::seconds{5}};
    Resolver resolver = resolve_with_system;  // for look_up(); blocks
  };
  // `changed` is called when the addresses of watched names are others than look_up() gave last.
  Names(boost::asio::io_context& io, Options options, std::function<void()> changed);
  Names(const Names&) = delete;
  Names& operator=(const Names&) = delete;

  // The addresses of `host`: asked for if they are not known, else as they were found last.
  [[nodiscard]] Addresses look_up(const std::string& host);
  // All that is known is asked for again by the next look_up().
  void forget_all();
  // From now on these are asked for again and again.
  void watch(std::set<std::string> hosts);
  void stop();

 private:
  struct Known {
    std::vector<IpAddress> last_good;
    std::string error;
    bool fresh = false;  // look_up() need not ask
  };
  void wait();
  void ask_next();
  bool take(const std::string& host, std::vector<IpAddress> found);

  boost::asio::steady_timer timer_;
  boost::asio::ip::tcp::resolver system_;
  Options options_;
  std::function<void()> changed_;
  std::map<std::string, Known> known_;
  std::set<std::string> watched_;
  std::vector<std::string> left_;  // of this round
  bool round_changed_ = false;
  bool running_ = false;
};

}  // namespace weir::discovery
