// Writes the header of the PROXY protocol (haproxy's proxy-protocol.txt), by which whoever accepts
// a connection is told for whom it was made. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/address.h"

namespace weir {

enum class ProxyProtocol : std::uint8_t { off, v1, v2 };

// For a connection of `client` to `server`. If either is no IP address: of an unknown one.
[[nodiscard]] std::string proxy_header(ProxyProtocol version, const IpAddress& client,
                                       const IpAddress& server);
// For a connection of weir's own: UNKNOWN (version 1), LOCAL (version 2).
[[nodiscard]] std::string local_proxy_header(ProxyProtocol version);

}  // namespace weir
