// A peer as an operator sees it: one state out of configuration, checks and failures. Control
// thread only.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "admin/source.h"
#include "upstream/peer.h"
#include "upstream/peer_health.h"

namespace weir::admin {

enum class PeerState : std::uint8_t {
  up,         // passed its checks
  down,       // failed its checks
  checking,   // has to pass a check first
  unchecked,  // no active check has said anything: gets requests
  disabled,   // `down` in the configuration
  withheld,   // its registry says that it is to get no requests
  failed,     // out for failures of requests: max_fails, or `eject`
  draining,   // in the configuration or by an operator: what it has goes on
  vanished,   // its name has another address now
  stopped,    // by an operator
  waiting,    // for the first peer of its pool, by an operator
  aside,      // only another peer is to serve, by an operator
};
inline constexpr std::array kPeerStates = {
    PeerState::up,       PeerState::down,     PeerState::checking, PeerState::unchecked,
    PeerState::disabled, PeerState::withheld, PeerState::failed,   PeerState::draining,
    PeerState::vanished, PeerState::stopped,  PeerState::waiting,  PeerState::aside};
[[nodiscard]] const char* to_string(PeerState state);

struct PeerView {
  PeerState state = PeerState::unchecked;
  std::string reason;             // of the state; may be empty
  std::optional<Duration> since;  // how long the state has lasted, if known
  bool eligible = false;          // would get a request now
  std::uint32_t fails = 0;        // failures counted against it
  std::uint32_t in_flight = 0;
  const upstream::PeerHealth* checked = nullptr;  // null: not checked
};

// `index`: in the pool's peers().
[[nodiscard]] PeerView view_peer(const Source& source, const upstream::Pool& pool,
                                 std::size_t index, TimePoint now);

}  // namespace weir::admin
