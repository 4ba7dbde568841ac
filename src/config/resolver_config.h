// The name servers of nginx's `resolver`. A plain value.
#pragma once

#include <optional>
#include <vector>

#include "base/address.h"
#include "base/clock.h"

namespace weir::config {

// `resolver ADDRESS... [valid=] [ipv4=] [ipv6=]`; without servers: the system's.
struct ResolverConfig {
  std::vector<IpAddress> servers;  // with ports
  std::optional<Duration> valid;   // instead of the lifetimes that answers have
  bool ipv4 = true;
  bool ipv6 = true;
};

}  // namespace weir::config
