// The client behind proxies: X-Forwarded-For read from its end, as nginx does for `geo` and real
// IP. Pure functions; any thread.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "base/address.h"

namespace weir::access {

// "10.0.0.1", "10.0.0.1:80", "::1", "[::1]:80". nullopt: none of these.
[[nodiscard]] std::optional<IpAddress> parse_address_and_port(std::string_view text);

// `peer`, if it is none of `proxies`; else what the last of `fields` (the values of the header, in
// the order they came) says last. `recursive`: and so on, while that is one of `proxies` too. What
// cannot be read ends the search.
[[nodiscard]] IpAddress forwarded_address(const IpAddress& peer,
                                          std::span<const std::string_view> fields,
                                          std::span<const Cidr> proxies, bool recursive);

}  // namespace weir::access
