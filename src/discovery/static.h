// Peers as the configuration lists them: literal addresses, Unix sockets, and host names.
// Any thread; may block in the system's resolver.
#pragma once

#include <string>
#include <vector>

#include "base/address.h"
#include "config/model.h"
#include "discovery/ask_names.h"
#include "discovery/places.h"
#include "discovery/question.h"
#include "upstream/peer.h"

namespace weir::discovery {

struct StaticPeers {
  std::vector<upstream::PeerSpec> specs{};
  // For each line whose name has no address: "file:line:col: server: host not found in upstream
  // ...". It gives no peer until the name is found.
  std::vector<std::string> unresolved{};
};

// What Places know a line by: its upstream, its name and which of the lines of this name it is, so
// that lines may move in their file.
[[nodiscard]] std::string place_key(const config::UpstreamConfig& upstream, std::size_t line);

// A line whose name has several addresses gives a peer for each, all with the line's full weight.
// SRV records give each its own weight unless the line has another than 1, as in nginx; those
// behind the first in rank are backups. Resolvers answer in any order, so addresses are sorted,
// IPv4 first: ip_hash then sends a client to the same peer after each start. With `places`, one
// that vanishes later keeps its place.
[[nodiscard]] StaticPeers static_peers(const config::UpstreamConfig& upstream,
                                       const Resolver& resolver = ask_name,
                                       Places* places = nullptr, TimePoint now = {});

}  // namespace weir::discovery
