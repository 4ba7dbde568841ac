// A peer: one address of an upstream, and all that is known of it at run time.
//
// Peers are owned by shared_ptr: they outlive reloads (PeerStore finds the earlier one by pool,
// address and check settings) and the exchanges that use them. Fields marked "pool lock" change
// only under Pool's lock; the atomics may be read by any thread at any time.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "base/address.h"
#include "base/clock.h"
#include "upstream/ejection.h"
#include "upstream/ramp.h"

namespace weir::upstream {

// What active checks and operators say of a peer; passive failures are counted beside it.
enum class Health : std::uint8_t {
  unchecked,  // no active check, or none has been answered and it is not mandatory: gets traffic
  checking,   // mandatory check not passed yet: no traffic
  up,
  down,  // failed its checks: no new request
};
[[nodiscard]] const char* to_string(Health health);

// Why an operator keeps new requests from a peer.
enum class Hold : std::uint8_t {
  none,
  draining,  // what it has goes on, and so do clients that are bound to it
  down,      // nobody: idle connections are closed, tunnels ended
  waiting,   // until the first peer of its pool is ready
  aside,     // only another peer of its pool is to serve
};
[[nodiscard]] const char* to_string(Hold hold);

// What is configured for a peer.
struct PeerSpec {
  std::string name;  // as written in the configuration
  Endpoint endpoint;
  std::uint32_t weight = 1;
  std::uint32_t max_fails = 1;
  std::chrono::seconds fail_timeout{10};
  std::uint32_t max_conns = 0;
  Duration slow_start{0};  // after it came back, until it has its whole share; 0: at once
  bool backup = false;
  bool down = false;
  bool drain = false;     // only for clients that are bound to it
  bool vanished = false;  // its source does not name it any more: it only keeps its place
  std::string sid{};      // what sticky clients are bound by: its route, or made of its address
  // Of a node in a registry.
  std::int32_t slot = -1;  // its number there, 0 or more; -1: it is in none
  bool newcomer = false;   // came later than weir: waits for its first good check
  std::string why_down{};  // "vanished", "draining", ...
};

struct Peer {
  explicit Peer(PeerSpec spec_)
      : spec(std::move(spec_)), text(spec.endpoint.text()), effective_weight(spec.weight) {}

  // `name` and `endpoint` never change: any thread may read them. The numbers follow the
  // configuration when a reload is committed: control thread only. A Pool has its own copy of them,
  // so exchanges of two generations each see the numbers of their own.
  PeerSpec spec;
  const std::string text;  // "10.0.0.1:80", for logs and $upstream_addr

  // What a pick looks at, on a cache line of its own.
  alignas(64) std::atomic<Health> health{Health::unchecked};
  // Set by the control thread under the pool lock: a pick sees either all of it or nothing.
  std::atomic<Hold> hold{Hold::none};
  // Set when active checks saw the peer come back: its passive failures are then forgotten at the
  // next occasion. Set by the control thread, taken under the pool lock.
  std::atomic<bool> recovered{false};
  std::atomic<std::uint32_t> conns{0};    // requests and tunnels in flight; changes under pool lock
  std::atomic<std::uint32_t> tunnels{0};  // of these: what has been switched to another protocol
  std::atomic<std::uint32_t> ejections{0};  // times that it was taken out; changes under pool lock
  // Nobody answers there any more: what waits for it need not. Set by the control thread.
  std::atomic<bool> gone{false};
  // It is to have no more tunnels: down, vanished, or taken out by an operator. Control thread.
  std::atomic<bool> leaving{false};
  // The configuration or a registry has it drained, as Hold::draining does. Control thread.
  std::atomic<bool> draining{false};

  // nginx's failure accounting and smooth weighted round robin; pool lock. Times are whole
  // seconds of the injected clock.
  std::uint32_t fails = 0;
  std::int64_t effective_weight;
  std::int64_t current_weight = 0;
  std::int64_t accessed = 0;  // time of the last failure
  std::int64_t checked = 0;   // time of the last failure, or of the last pick after fail_timeout

  Ramp ramp;       // slow_start; pool lock
  Ejection eject;  // the failures of its last seconds; pool lock

  // least_time's accounts, in milliseconds; pool lock. Moving averages, 0: none yet.
  std::uint64_t header_time = 0;
  std::uint64_t response_time = 0;
  std::uint64_t inflight_time = 0;   // how long the attempts in progress have lasted
  std::int64_t inflight = 0;         // attempts in progress that count in it
  std::int64_t inflight_starts = 0;  // the sum of the times at which they began
};

// One in the same state, for trying out what would happen. Under the pool lock.
[[nodiscard]] std::shared_ptr<Peer> copy_peer(const Peer& peer);

}  // namespace weir::upstream
