// What the checks of a peer say of it together: it is as well as the worst of them finds it. Owns a
// machine for each check, and stores the verdict in the Peer. Control thread only.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "upstream/health.h"

namespace weir::upstream {

class PeerHealth {
 public:
  using Transition = HealthMachine::Transition;

  // `checks`: one at least. The peer must outlive it.
  PeerHealth(std::span<const config::HealthCheckConfig> checks, Peer& peer,
             const HealthMachine::Random& random, TimePoint now);

  // As HealthMachine's, of the check of that number. A transition is one of the peer.
  std::optional<Transition> on_check(std::size_t check, const CheckResult& result, TimePoint now);
  std::optional<Transition> end_grace(std::size_t check, TimePoint now);

  [[nodiscard]] std::span<const HealthMachine> machines() const { return machines_; }
  // "/health", "tcp", "grpc shop.Cart at port 9000"
  [[nodiscard]] const std::string& name(std::size_t check) const { return names_[check]; }

  // For status pages.
  [[nodiscard]] Health state() const { return state_; }
  [[nodiscard]] TimePoint since() const { return since_; }  // of the present state
  // Of the worst check; which one that is, where there are several.
  [[nodiscard]] std::string reason() const { return reason_of(worst()); }
  [[nodiscard]] const CheckResult& last() const { return machines_[worst()].last(); }
  [[nodiscard]] std::uint64_t checks() const;
  [[nodiscard]] std::uint64_t failed_checks() const;
  [[nodiscard]] std::uint64_t failed_checks(CheckLayer layer) const;
  // Times that the peer went into this state.
  [[nodiscard]] std::uint64_t transitions(Health to) const {
    return transitions_[static_cast<std::size_t>(to)];
  }

 private:
  [[nodiscard]] std::size_t worst() const;
  [[nodiscard]] std::string reason_of(std::size_t check) const;
  std::optional<Transition> update(std::size_t check, TimePoint now);

  Peer& peer_;
  std::vector<HealthMachine> machines_;
  std::vector<std::string> names_;
  Health state_;
  TimePoint since_;
  std::array<std::uint64_t, 4> transitions_{};  // by Health
};

}  // namespace weir::upstream
