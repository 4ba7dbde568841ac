// What a change of a pool does to its clients: both the old and the new one choose for the same
// sample of them, by the arithmetic that serves requests. Pure; for `weir -t --diff`.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "config/upstream_config.h"
#include "upstream/peer.h"

namespace weir::upstream {

// A pool as far as the choice of a peer for a client depends on it.
struct PoolShape {
  config::Balance balance = config::Balance::round_robin;
  std::string key;     // of `hash`, as written
  std::string sticky;  // what binds clients besides, as "cookie NAME"; empty: nothing
  std::vector<PeerSpec> peers;
  // What checks have found, by address; those that are not here count as healthy. Such a peer is
  // in the pool, but clients come to it no more than they do while weir runs.
  std::map<std::string, Health> health{};
};

// What binds a client to a peer.
enum class Binding : std::uint8_t {
  none,     // the next request may go anywhere: nothing can move
  address,  // ip_hash
  key,      // hash
  sticky,   // what the client was given, or its session
};
[[nodiscard]] Binding binding_of(const PoolShape& shape);

struct Moved {
  Binding binding = Binding::none;  // of the pool as it was
  bool all = false;                 // what binds is another thing now: nobody can be followed
  double share = 0;                 // of all clients: they come to another peer, 0 to 1
  struct Share {
    std::string peer;   // its address
    double before = 0;  // of all clients, 0 to 1
    double after = 0;
    bool was = false;  // in the pool before; vanished and down ones are not
    bool is = false;   // in it afterwards
  };
  std::vector<Share> peers;  // of both, those that were there first
};
[[nodiscard]] Moved count_moved(const PoolShape& before, const PoolShape& after);

}  // namespace weir::upstream
