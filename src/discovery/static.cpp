#include "discovery/static.h"

#include <algorithm>

namespace weir::discovery {
namespace {

upstream::PeerSpec spec_of(const config::PeerConfig& peer) {
  return {.name = peer.name,
          .endpoint = {},
          .weight = peer.weight,
          .max_fails = peer.max_fails,
          .fail_timeout = peer.fail_timeout,
          .max_conns = peer.max_conns,
          .slow_start = peer.slow_start,
          .backup = peer.backup,
          .down = peer.down,
          .drain = peer.drain,
          .sid = peer.route};
}

std::string not_found(const config::UpstreamConfig& upstream, const config::PeerConfig& peer,
                      const std::string& cause) {
  return peer.position.text() + (upstream.implicit ? ": proxy_pass: " : ": server: ") +
         "host not found in upstream \"" + peer.name + "\": " + cause +
         "; it is asked for again until it is found";
}

// The addresses behind a line, in the order its peers get.
Addresses addresses_of(const config::UpstreamConfig& upstream, const config::PeerConfig& peer,
                       const Resolver& resolver) {
  if (const auto literal = IpAddress::parse(peer.where.host)) return {.found = {*literal}};
  Addresses result = resolver(question_of(upstream, peer));
  auto& found = result.found;
  std::sort(found.begin(), found.end(), comes_before);
  found.erase(std::unique(found.begin(), found.end()), found.end());
  if (found.empty() && result.error.empty()) result.error = "it has no address";
  return result;
}

}  // namespace

std::string place_key(const config::UpstreamConfig& upstream, std::size_t line) {
  const auto& name = upstream.peers[line].name;
  const auto first = upstream.peers.begin();
  const auto earlier = std::count_if(first, first + static_cast<std::ptrdiff_t>(line),
                                     [&](const auto& peer) { return peer.name == name; });
  return upstream.name + "\n" + name + "\n" + std::to_string(earlier);
}

StaticPeers static_peers(const config::UpstreamConfig& upstream, const Resolver& resolver,
                         Places* places, TimePoint now) {
  StaticPeers result;
  for (std::size_t line = 0; line < upstream.peers.size(); ++line) {
    const auto& peer = upstream.peers[line];
    weir::upstream::PeerSpec spec = spec_of(peer);
    if (!peer.where.unix_path.empty()) {
      spec.endpoint.unix_path = peer.where.unix_path;
      result.specs.push_back(std::move(spec));
      continue;
    }
    const Addresses addresses = addresses_of(upstream, peer, resolver);
    if (addresses.found.empty()) {
      result.unresolved.push_back(not_found(upstream, peer, addresses.error));
    }
    const auto add = [&](IpAddress address, bool vanished) {
      if (peer.service.empty()) {
        address.set_port(peer.where.port);
      } else {
        const auto rank = addresses.rank_of(address);
        if (peer.weight == 1) spec.weight = rank.weight;
        spec.backup = peer.backup || rank.reserve;
      }
      spec.endpoint.ip = address;
      spec.vanished = vanished;
      result.specs.push_back(spec);
    };
    if (places == nullptr || IpAddress::parse(peer.where.host)) {
      for (const IpAddress& address : addresses.found) add(address, false);
      continue;
    }
    for (const auto& place :
         places->arrange(place_key(upstream, line), addresses.found, upstream.forget, now)) {
      add(place.address, place.vanished);
    }
  }
  return result;
}

}  // namespace weir::discovery
