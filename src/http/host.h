// The host of a request: `uri-host [ ":" port ]` of RFC 9110 section 7.2. Pure functions.
#pragma once

#include <string_view>

namespace weir::http {

// Whether this can be the value of Host, or the authority of a target: a name, an IPv4 address or
// an IPv6 address in brackets, with a port of 0 to 65535, or an empty one, or none. No user
// information, and the host is not empty.
[[nodiscard]] bool valid_host(std::string_view host);

}  // namespace weir::http
