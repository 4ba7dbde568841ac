#include "upstream/peer_store.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "upstream/health.h"

namespace weir::upstream {
namespace {

std::string key_of(const config::UpstreamConfig& config, const PeerSpec& spec) {
  std::string key = config.name + '\0' + spec.endpoint.text();
  key += spec.backup ? " backup" : " primary";
  return key;
}

// Already closed where a check comes first: the pool may be in use before the first check starts.
std::shared_ptr<Peer> make_peer(const config::UpstreamConfig& config, const PeerSpec& spec) {
  auto peer = std::make_shared<Peer>(spec);
  const auto& checks = config.health_checks;
  const bool closed = std::any_of(checks.begin(), checks.end(), [&](const auto& check) {
    return spec.newcomer || starts_closed(check);
  });
  if (closed) peer->health = Health::checking;
  return peer;
}

// Nobody looks at it any more: what was found does not stand for ever.
void forget_checks(Peer& peer) {
  if (peer.health.exchange(Health::unchecked, std::memory_order_relaxed) == Health::down) {
    peer.recovered.store(true, std::memory_order_relaxed);
  }
  peer.gone.store(false, std::memory_order_relaxed);
}

// Whether round robin may go on where it stands.
bool same_rotation(const std::vector<std::shared_ptr<Peer>>& peers,
                   const std::vector<PeerSpec>& specs,
                   const std::vector<std::shared_ptr<Peer>>& old_peers,
                   const std::vector<PeerSpec>& old_specs) {
  return peers == old_peers && std::equal(specs.begin(), specs.end(), old_specs.begin(),
                                          [](const PeerSpec& a, const PeerSpec& b) {
                                            return a.weight == b.weight && a.down == b.down &&
                                                   a.drain == b.drain && a.vanished == b.vanished;
                                          });
}

}  // namespace

std::shared_ptr<Pool> PeerStore::build(const config::UpstreamConfig& config,
                                       std::span<const PeerSpec> specs) {
  Entry entry;
  entry.checked = !config.health_checks.empty();
  entry.specs.assign(specs.begin(), specs.end());
  for (const Generation* generation : {&pending_, &present_}) {
    const auto found = generation->pools.find(config.name);
    if (found != generation->pools.end() && !entry.lock) entry.lock = found->second.lock;
  }
  if (!entry.lock) entry.lock = std::make_shared<SpinLock>();
  for (const PeerSpec& spec : specs) {
    std::string key = key_of(config, spec);
    // An address that is written twice is two peers.
    const auto taken = [&](const std::string& k) {
      const auto found = pending_.peers.find(k);
      return found != pending_.peers.end() &&
             std::find(entry.peers.begin(), entry.peers.end(), found->second) != entry.peers.end();
    };
    while (taken(key)) key += " again";
    auto& peer = pending_.peers[key];
    if (!peer) {
      const auto earlier = present_.peers.find(key);
      peer = earlier != present_.peers.end() ? earlier->second : make_peer(config, spec);
    }
    entry.peers.push_back(peer);
  }
  const Pool::Rules rules{.eject = config.eject,
                          .load_bound = config.balance_bound,
                          .retry_budget = config.retry.budget,
                          .retry_least = config.retry.budget_least};
  auto pool = std::make_shared<Pool>(config.name, config.balance, entry.peers, entry.specs,
                                     entry.lock, rules);
  if (config.registry) pool->hash_by_slots();
  pending_.pools[config.name] = std::move(entry);
  return pool;
}

void PeerStore::commit(TimePoint now) {
  for (const auto& [name, entry] : pending_.pools) {
    const auto before = present_.pools.find(name);
    adopt(entry, before != present_.pools.end() ? &before->second : nullptr, now);
  }
  present_ = std::exchange(pending_, {});
}

void PeerStore::discard() { pending_ = {}; }

// A peer that the pool did not have, or only the place of.
bool PeerStore::came_back(const Entry& before, const std::shared_ptr<Peer>& peer) {
  const auto found = std::find(before.peers.begin(), before.peers.end(), peer);
  if (found == before.peers.end()) return true;
  return before.specs[static_cast<std::size_t>(found - before.peers.begin())].vanished &&
         !peer->spec.vanished;
}

void PeerStore::adopt(const Entry& entry, const Entry* before, TimePoint now) {
  const bool goes_on =
      before != nullptr && same_rotation(entry.peers, entry.specs, before->peers, before->specs);
  const std::lock_guard guard(*entry.lock);
  for (std::size_t i = 0; i < entry.peers.size(); ++i) {
    Peer& peer = *entry.peers[i];
    const PeerSpec& spec = entry.specs[i];
    peer.spec.weight = spec.weight;
    peer.spec.max_fails = spec.max_fails;
    peer.spec.fail_timeout = spec.fail_timeout;
    peer.spec.max_conns = spec.max_conns;
    peer.spec.slow_start = spec.slow_start;
    peer.spec.down = spec.down;
    peer.spec.drain = spec.drain;
    peer.spec.slot = spec.slot;
    peer.spec.newcomer = spec.newcomer;
    peer.spec.why_down = spec.why_down;
    peer.spec.vanished = spec.vanished;
    if (!entry.checked) forget_checks(peer);
    const bool unwell = peer.health.load(std::memory_order_relaxed) == Health::down;
    peer.leaving.store(spec.vanished || spec.down || unwell, std::memory_order_relaxed);
    peer.draining.store(spec.drain, std::memory_order_relaxed);
    if (goes_on) continue;
    if (before != nullptr && came_back(*before, entry.peers[i])) {
      peer.ramp.begin(now, spec.slow_start);
    }
    peer.effective_weight = spec.weight;
    peer.current_weight = 0;
  }
}

}  // namespace weir::upstream
