// Parts of what is told of pools and peers as JSON. Control thread only.
#pragma once

#include <boost/json/fwd.hpp>
#include <string>

#include "admin/source.h"
#include "upstream/peer_health.h"

namespace weir::admin {

// Null: no check has ended yet.
[[nodiscard]] boost::json::value last_check_json(const upstream::PeerHealth* checked);

// What operators have set for a peer itself; null: nothing.
[[nodiscard]] boost::json::value set_json(const Source& source, const upstream::Pool& pool,
                                          const upstream::PeerSpec& spec);
// The same for a pool. `absent`: peers that are not there at present.
[[nodiscard]] boost::json::value set_json(const Source& source, const upstream::Pool& pool);

// Null without a registry.
[[nodiscard]] boost::json::value registry_json(const Source& source, const std::string& upstream);

}  // namespace weir::admin
