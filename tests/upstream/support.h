// What the tests of upstream/ have in common.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "upstream/pool.h"

namespace weir::upstream::test {

using Peers = std::vector<std::shared_ptr<Peer>>;

inline PeerSpec spec(std::uint16_t port, std::uint32_t weight = 1) {
  PeerSpec result;
  result.name = "127.0.0.1:" + std::to_string(port);
  result.endpoint.ip = *IpAddress::parse("127.0.0.1", port);
  result.weight = weight;
  return result;
}

inline Peers make_peers(const std::vector<PeerSpec>& specs) {
  Peers result;
  for (const auto& each : specs) result.push_back(std::make_shared<Peer>(each));
  return result;
}

// Peers of these weights, all else by default.
inline std::vector<PeerSpec> specs(const std::vector<std::uint32_t>& weights) {
  std::vector<PeerSpec> result;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    result.push_back(spec(static_cast<std::uint16_t>(8000 + i), weights[i]));
  }
  return result;
}

inline TimePoint at(double seconds) {
  return TimePoint{Duration{1'000'000'000 + static_cast<std::int64_t>(seconds * 1000)}};
}

inline IpAddress client(const char* text = "10.0.0.1") { return *IpAddress::parse(text); }

}  // namespace weir::upstream::test
