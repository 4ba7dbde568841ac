// A node's hold on a worker ID: takes one, renews it, changes the node's state, notices when
// another holds it, gives it back. Goes on through failures of Redis. Thread of its io_context.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "registry/layout.h"
#include "registry/link.h"
#include "registry/scripts.h"

namespace weir::registry {

struct LeaseOptions {
  LinkOptions link;
  std::string app;
  std::string addr;
  std::string instance;  // unique for each process
  std::string mode;
  std::string version;
  std::uint32_t weight = 1;
  Duration lease{15'000};
  Duration renew{5'000};
  // A Redis that has run for less may have lost the leases of nodes that live: these come first.
  Duration settle{6'000};
};

class Lease {
 public:
  struct Hooks {
    std::function<void(std::size_t id)> on_taken;
    // There is no ID to be had, and why. The end.
    std::function<void(const std::string& why)> on_refused;
    // Another process holds the ID now. The end.
    std::function<void(const std::string& holder)> on_lost;
    // The lease is over, as far as can be known, and Redis does not answer: others may have the ID.
    std::function<void(const std::string& error)> on_unsure;
    std::function<void(NodeState state)> on_published;     // Redis has a state that was set
    std::function<void(const std::string& text)> on_note;  // for a log
  };

  Lease(boost::asio::io_context& io, const Clock& clock, Random random, LeaseOptions options,
        Hooks hooks);
  ~Lease() { stop(); }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  void start();
  // Published now, or with the next renewal if Redis does not answer.
  void set_state(NodeState state);
  // Gives the ID back and then calls `done`, whether that worked or not.
  void release(std::function<void()> done);
  void stop();
  [[nodiscard]] std::optional<std::size_t> id() const { return id_; }
  // Since when Redis has not been reached; nullopt: it is.
  [[nodiscard]] const std::string& last_error() const { return error_; }

 private:
  void step();
  void ask_uptime();
  void on_uptime(const Reply& reply);
  void take();
  void on_take(const Reply& reply, TimePoint sent);
  void on_full(const RespValue& answer);
  void keep();
  void on_keep(const Reply& reply, TimePoint sent, NodeState state);
  void held(TimePoint sent);
  void failed(const std::string& error);
  void later(Duration wait);
  [[nodiscard]] Fields fields() const;

  const Clock& clock_;
  Random random_;
  LeaseOptions options_;
  Hooks hooks_;
  Link link_;
  Backoff backoff_;
  boost::asio::steady_timer timer_;
  std::shared_ptr<bool> running_;
  std::optional<std::size_t> id_;
  NodeState state_ = NodeState::starting;
  NodeState published_ = NodeState::starting;
  std::string since_;
  std::string error_;  // of the last try; empty: it succeeded
  TimePoint renewed_{};
  std::optional<TimePoint> waits_until_;  // for the lease of an earlier process at this address
  bool settled_ = false;
  bool busy_ = false;  // a request is under way
  bool again_ = false;
  bool unsure_ = false;
  bool drained_ = false;
  bool releasing_ = false;
};

}  // namespace weir::registry
