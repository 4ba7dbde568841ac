// The addresses behind the host names among the peers: looked up when a configuration is loaded,
// and again every few seconds from then on. A name that cannot be looked up keeps the addresses
// that it had. Control thread; the look-ups of a round are made by a thread of their own, which
// nobody waits for: the system's resolver may take its time.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
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
    Resolver resolver = resolve_with_system;  // may block; called by any thread
    const Clock* clock = nullptr;             // for status(); must outlive it
  };
  // Of one name, for status pages.
  struct Status {
    std::string host;
    std::vector<IpAddress> addresses;   // in force
    std::string error;                  // of the last look-up; empty: it was good
    std::optional<TimePoint> found_at;  // the last good look-up
  };
  // `changed` is called when the addresses of watched names are others than look_up() gave last.
  Names(boost::asio::io_context& io, Options options, std::function<void()> changed);
  ~Names() { stop(); }
  Names(const Names&) = delete;
  Names& operator=(const Names&) = delete;

  // The addresses of `host`: asked for if they are not known, else as they were found last.
  [[nodiscard]] Addresses look_up(const std::string& host);
  // The same without asking: empty as long as it is not known.
  [[nodiscard]] Addresses known(const std::string& host) const;
  // All that is known is asked for again by the next look_up().
  void forget_all();
  // From now on these are asked for again and again; at once, if any of them never was.
  void watch(std::set<std::string> hosts);
  void stop();
  // In alphabetical order.
  [[nodiscard]] std::vector<Status> status() const;

 private:
  struct Known {
    std::vector<IpAddress> last_good;
    std::string error;
    bool fresh = false;  // look_up() need not ask
    std::optional<TimePoint> found_at;
  };
  using Round = std::map<std::string, Addresses>;
  struct Mailbox;  // where a thread brings what it has found, as long as somebody wants it

  void wait();
  void begin_round();
  [[nodiscard]] bool has_unasked() const;
  void end_round(Round found);
  bool take(const std::string& host, std::vector<IpAddress> found);

  boost::asio::io_context& io_;
  boost::asio::steady_timer timer_;
  Options options_;
  std::function<void()> changed_;
  std::map<std::string, Known> known_;
  std::set<std::string> watched_;
  std::shared_ptr<Mailbox> mailbox_;  // null: no round is on its way
  bool waiting_ = false;
};

}  // namespace weir::discovery
