#include "proxy/dynamic_pools.h"

#include <charconv>
#include <utility>

#include "upstream/peer.h"

namespace weir::proxy {
namespace {

constexpr std::size_t kMostPools = 256;

}  // namespace

std::optional<Authority> parse_authority(std::string_view text, std::uint16_t default_port) {
  constexpr std::string_view kUnix = "unix:";
  Authority result;
  result.port = default_port;
  if (text.starts_with(kUnix)) {
    result.unix_path = text.substr(kUnix.size());
    return result.unix_path.empty() ? std::nullopt : std::optional(result);
  }
  result.host = text;
  const auto bracket = text.starts_with('[') ? text.find(']') : 0;
  if (bracket == std::string_view::npos) return std::nullopt;
  if (bracket > 0 && bracket + 1 < text.size() && text[bracket + 1] != ':') return std::nullopt;
  if (const auto colon = text.find(':', bracket); colon != std::string_view::npos) {
    const auto digits = text.substr(colon + 1);
    const auto* end = digits.data() + digits.size();
    const auto [at, error] = std::from_chars(digits.data(), end, result.port);
    if (error != std::errc{} || at != end || result.port == 0) return std::nullopt;
    result.host = text.substr(0, colon);
  }
  if (bracket > 0) result.host = result.host.substr(1, bracket - 1);
  return result.host.empty() ? std::nullopt : std::optional(result);
}

DynamicPools::EntryPtr DynamicPools::get(std::string_view name,
                                         std::span<const Endpoint> endpoints) {
  std::string key(name);
  for (const auto& endpoint : endpoints) key.append(" ").append(endpoint.text());
  ++uses_;
  if (const auto found = entries_.find(key); found != entries_.end()) {
    found->second->used = uses_;
    return found->second;
  }
  make_room();
  auto entry = std::make_shared<Entry>();
  std::vector<std::shared_ptr<upstream::Peer>> peers;
  for (const auto& endpoint : endpoints) {
    upstream::PeerSpec spec;
    spec.name = name;
    spec.endpoint = endpoint;
    spec.max_fails = 0;  // nginx remembers nothing of them from request to request
    peers.push_back(std::make_shared<upstream::Peer>(std::move(spec)));
    entry->node.stats.push_back(std::make_shared<PerWorker<PeerStats>>(worker_ + 1));
  }
  const auto count = peers.size();
  entry->node.pool = std::make_shared<upstream::Pool>(
      std::string(name), config::Balance::round_robin, std::move(peers));
  entry->idle = std::make_unique<IdleConnections>(loop_, count, entry->node.keepalive.connections);
  entry->used = uses_;
  return entries_.emplace(std::move(key), std::move(entry)).first->second;
}

// The one that was used longest ago goes. What is in use stays with its users.
void DynamicPools::make_room() {
  if (entries_.size() < kMostPools) return;
  auto oldest = entries_.begin();
  for (auto at = entries_.begin(); at != entries_.end(); ++at) {
    if (at->second->used < oldest->second->used) oldest = at;
  }
  entries_.erase(oldest);
}

bool DynamicPools::drop_oldest_idle() {
  for (auto& [key, entry] : entries_) {
    if (entry->idle->drop_oldest()) return true;
  }
  return false;
}

}  // namespace weir::proxy
