#include "upstream/peer_health.h"

#include <algorithm>
#include <numeric>

namespace weir::upstream {
namespace {

// The greatest is the worst.
int badness(Health health) {
  switch (health) {
    case Health::up:
      return 0;
    case Health::unchecked:
      return 1;
    case Health::checking:
      return 2;
    case Health::down:
      return 3;
  }
  return 3;
}

std::string name_of(const config::HealthCheckConfig& check) {
  std::string name = check.type == config::CheckType::http ? check.uri : to_string(check.type);
  if (!check.grpc_service.empty()) name += " " + check.grpc_service;
  if (check.port != 0) name += " at port " + std::to_string(check.port);
  return name;
}

}  // namespace

PeerHealth::PeerHealth(std::span<const config::HealthCheckConfig> checks, Peer& peer,
                       const HealthMachine::Random& random, TimePoint now)
    : peer_(peer), since_(now) {
  machines_.reserve(checks.size());
  for (const auto& check : checks) {
    machines_.emplace_back(check, random, now, peer.health.load(std::memory_order_relaxed));
    names_.push_back(name_of(check));
  }
  state_ = machines_[worst()].state();
  peer_.health.store(state_, std::memory_order_relaxed);
}

std::size_t PeerHealth::worst() const {
  const auto found = std::max_element(machines_.begin(), machines_.end(),
                                      [](const HealthMachine& a, const HealthMachine& b) {
                                        return badness(a.state()) < badness(b.state());
                                      });
  return static_cast<std::size_t>(found - machines_.begin());
}

std::string PeerHealth::reason_of(std::size_t check) const {
  const auto& reason = machines_[check].reason();
  return machines_.size() == 1 || reason.empty() ? reason : names_[check] + ": " + reason;
}

std::optional<PeerHealth::Transition> PeerHealth::on_check(std::size_t check,
                                                           const CheckResult& result,
                                                           TimePoint now) {
  machines_[check].on_check(result, now);
  const bool gone = std::any_of(machines_.begin(), machines_.end(), [](const auto& machine) {
    return machine.state() == Health::down && machine.silent();
  });
  peer_.gone.store(gone, std::memory_order_relaxed);
  return update(check, now);
}

std::optional<PeerHealth::Transition> PeerHealth::end_grace(std::size_t check, TimePoint now) {
  machines_[check].end_grace(now);
  return update(check, now);
}

// `check`: the one that has just spoken.
std::optional<PeerHealth::Transition> PeerHealth::update(std::size_t check, TimePoint now) {
  const auto decides = worst();
  const Health to = machines_[decides].state();
  if (to == state_) return std::nullopt;
  Transition transition{.from = state_,
                        .to = to,
                        .reason = reason_of(machines_[check].state() == to ? check : decides)};
  ++transitions_[static_cast<std::size_t>(to)];
  state_ = to;
  since_ = now;
  const bool out = peer_.spec.vanished || peer_.spec.down;
  peer_.leaving.store(to == Health::down || out, std::memory_order_relaxed);
  // What clients met while it was down is no reason to ban it now. First the flag, then the state:
  // who sees the peer up also sees that it is to be forgiven.
  if (transition.from == Health::down) peer_.recovered.store(true, std::memory_order_relaxed);
  peer_.health.store(to, std::memory_order_release);
  return transition;
}

std::uint64_t PeerHealth::checks() const {
  return std::accumulate(
      machines_.begin(), machines_.end(), std::uint64_t{0},
      [](std::uint64_t sum, const auto& machine) { return sum + machine.checks(); });
}

std::uint64_t PeerHealth::failed_checks() const {
  return std::accumulate(
      machines_.begin(), machines_.end(), std::uint64_t{0},
      [](std::uint64_t sum, const auto& machine) { return sum + machine.failed_checks(); });
}

std::uint64_t PeerHealth::failed_checks(CheckLayer layer) const {
  return std::accumulate(
      machines_.begin(), machines_.end(), std::uint64_t{0},
      [&](std::uint64_t sum, const auto& machine) { return sum + machine.failed_checks(layer); });
}

}  // namespace weir::upstream
