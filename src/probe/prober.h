// Active checks: asks each peer at the times its machines say, never the same twice at once, and
// tells of each change of state. Control thread (that of the io_context) only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "config/model.h"
#include "upstream/peer.h"
#include "upstream/peer_health.h"

namespace boost::asio {
class io_context;
}

namespace weir::probe {

// A peer to check.
struct Target {
  std::string pool;
  std::shared_ptr<upstream::Peer> peer;
  std::vector<config::HealthCheckConfig> checks;
};

class Prober {
 public:
  // One peer's checks, for status pages.
  struct Snapshot {
    std::string pool;
    std::string peer;
    upstream::Health state = upstream::Health::unchecked;
    TimePoint since;  // of the state
    std::string reason;
    upstream::CheckResult last;
    std::uint64_t checks = 0;
    std::uint64_t failed_checks = 0;
  };
  struct Hooks {
    std::function<void(const Target&, const upstream::PeerHealth::Transition&)> on_transition{};
    // After every check, once the machine has it.
    std::function<void(const Target&, const upstream::CheckResult&)> on_result{};
  };

  // `clock` and `io` must outlive it.
  Prober(boost::asio::io_context& io, const Clock& clock, upstream::HealthMachine::Random random,
         Hooks hooks);
  ~Prober();
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  // Replaces the peers to check. Those that stay (the same Peer with the same settings) keep their
  // state and times; new ones are checked at once.
  void set_targets(std::vector<Target> targets);
  // Ends all checks; no hook is called any more. Peers keep their health.
  void stop() { set_targets({}); }

  // In the order of the targets.
  [[nodiscard]] std::vector<Snapshot> snapshot() const;
  // What is known of a peer, or null if it is not checked.
  [[nodiscard]] const upstream::PeerHealth* find(const upstream::Peer& peer) const;

 private:
  class Probe;
  struct Shared;  // what all probes use

  std::shared_ptr<Shared> shared_;
  std::vector<std::shared_ptr<Probe>> probes_;
  std::unordered_map<const upstream::Peer*, const Probe*> by_peer_;  // of them
};

// `peer 10.0.0.2:80 of "app" down: connect: connection refused (2/2)`
[[nodiscard]] std::string log_line(const Target& target,
                                   const upstream::PeerHealth::Transition& transition);

}  // namespace weir::probe
