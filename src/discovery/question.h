// What is asked about a host name among the peers, and what comes of it. Plain values.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "config/resolver_config.h"
#include "config/upstream_config.h"

namespace weir::discovery {

// What the targets of SRV records came to: addresses without ports.
using Targets = std::map<std::string, std::vector<IpAddress>>;

struct Question {
  std::string host{};
  std::string service{};                             // not empty: SRV records, RFC 2782
  std::optional<config::ResolverConfig> resolver{};  // none: as the system resolves names
  Duration timeout{std::chrono::seconds{30}};
  Targets last_targets{};  // stand in for those that nobody can tell about

  // "app", "http app", "app by 10.0.0.2:53": what tells it from others.
  [[nodiscard]] std::string text() const;
};

// The question behind a line; only for lines with a host name.
[[nodiscard]] Question question_of(const config::UpstreamConfig& upstream,
                                   const config::PeerConfig& peer);

// What an SRV record says of an address.
struct Rank {
  std::uint32_t weight = 1;
  bool reserve = false;  // others come before it: a backup
  friend bool operator==(const Rank&, const Rank&) = default;
};

// What a look-up found, or why there is nothing; of a service also both, if nobody could tell about
// some of its targets.
struct Addresses {
  std::vector<IpAddress> found{};  // without ports; of a service with them
  std::string error{};
  std::vector<std::pair<IpAddress, Rank>> ranks{};  // of a service
  std::optional<Duration> lifetime{};               // how long it holds; none: nobody said
  Targets targets{};                                // of a service

  [[nodiscard]] Rank rank_of(const IpAddress& address) const;
};

// May block. Any thread.
using Resolver = std::function<Addresses(const Question&)>;

}  // namespace weir::discovery
