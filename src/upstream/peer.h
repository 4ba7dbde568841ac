// A peer: one address of an upstream, and all that is known of it at run time.
//
// Peers are owned by shared_ptr: they outlive reloads (Registry finds the earlier one by pool,
// address and check settings) and the exchanges that use them. Fields marked "pool lock" change
// only under Pool's lock; the atomics may be read by any thread at any time.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

#include "base/address.h"
#include "base/clock.h"

namespace weir::upstream {

// What active checks and operators say of a peer; passive failures are counted beside it.
enum class Health : std::uint8_t {
  unchecked,  // no active check, or none has been answered and it is not mandatory: gets traffic
  checking,   // mandatory check not passed yet: no traffic
  up,
  down,  // failed its checks: no new request
};
[[nodiscard]] const char* to_string(Health health);

// What is configured for a peer.
struct PeerSpec {
  std::string name;  // as written in the configuration
  Endpoint endpoint;
  std::uint32_t weight = 1;
  std::uint32_t max_fails = 1;
  std::chrono::seconds fail_timeout{10};
  std::uint32_t max_conns = 0;
  bool backup = false;
  bool down = false;
};

struct alignas(64) Peer {
  explicit Peer(PeerSpec spec_) : spec(std::move(spec_)), text(spec.endpoint.text()) {}

  PeerSpec spec;           // replaced on reload, under the pool lock
  const std::string text;  // "10.0.0.1:80", for logs and $upstream_addr

  std::atomic<Health> health{Health::unchecked};
  std::atomic<std::uint32_t> conns{0};  // requests and tunnels in flight; changes under pool lock

  // nginx's failure accounting and smooth weighted round robin; pool lock. Times are whole
  // seconds of the injected clock.
  std::int64_t effective_weight = 0;
  std::int64_t current_weight = 0;
  std::uint32_t fails = 0;
  std::int64_t accessed = 0;
  std::int64_t checked = 0;
};

}  // namespace weir::upstream
