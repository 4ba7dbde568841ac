#include "upstream/moved.h"

#include <algorithm>
#include <memory>

#include "upstream/peer_store.h"
#include "upstream/pool.h"

namespace weir::upstream {
namespace {

// The shares are exact to about 0.5 % then.
constexpr std::uint32_t kClients = 40'000;
constexpr TimePoint kNow{std::chrono::hours{1}};

// The sample is the same each time. SplitMix64.
std::uint64_t scramble(std::uint64_t number) {
  number += 0x9e3779b97f4a7c15U;
  number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9U;
  number = (number ^ number >> 27) * 0x94d049bb133111ebU;
  return number ^ number >> 31;
}

bool is_there(const PeerSpec& spec) { return !spec.down && !spec.vanished; }

class Chooser {
 public:
  explicit Chooser(const PoolShape& shape) {
    config_.balance = shape.balance;
    config_.name = "sample";
    const auto in_slot = [](const PeerSpec& spec) { return spec.slot >= 0; };
    if (std::any_of(shape.peers.begin(), shape.peers.end(), in_slot)) config_.registry.emplace();
    pool_ = store_.build(config_, shape.peers);
    for (const auto& peer : pool_->peers()) {
      const auto found = shape.health.find(peer->text);
      if (found != shape.health.end()) peer->health = found->second;
    }
  }

  // The address of the peer that client `number` comes to; nullptr: to none.
  const std::string* choose(std::uint32_t number) {
    const std::uint64_t random = scramble(number);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = static_cast<std::uint32_t>(random);
    walk_.reset(IpAddress(reinterpret_cast<const sockaddr*>(&address)));
    if (pool_->balance() == config::Balance::hash ||
        pool_->balance() == config::Balance::hash_consistent) {
      walk_.begin_key() = "client " + std::to_string(random);
    }
    if (pool_->is_random()) walk_.seed(random);
    const auto choice = pool_->pick(walk_, kNow);
    if (choice.peer == nullptr) return nullptr;
    pool_->done(*choice.peer, Outcome::success, kNow);
    return &choice.peer->text;
  }

 private:
  config::UpstreamConfig config_;
  PeerStore store_;
  std::shared_ptr<Pool> pool_;
  Walk walk_;
};

Moved::Share& share_of(Moved& moved, const std::string& peer) {
  for (auto& share : moved.peers) {
    if (share.peer == peer) return share;
  }
  moved.peers.push_back({.peer = peer});
  return moved.peers.back();
}

const PeerSpec* find(const PoolShape& shape, const std::string& peer) {
  const auto found = std::find_if(shape.peers.begin(), shape.peers.end(), [&](const auto& spec) {
    return is_there(spec) && spec.endpoint.text() == peer;
  });
  return found != shape.peers.end() ? &*found : nullptr;
}

// Whether clients that came to `peer` are still sent there by what binds them.
bool keeps_clients(const PoolShape& before, const PoolShape& after, const std::string& peer) {
  const auto* was = find(before, peer);
  const auto* is = find(after, peer);
  return was != nullptr && is != nullptr && was->sid == is->sid;
}

}  // namespace

Binding binding_of(const PoolShape& shape) {
  if (!shape.sticky.empty()) return Binding::sticky;
  switch (shape.balance) {
    case config::Balance::ip_hash:
    case config::Balance::ip_hash_full:
      return Binding::address;
    case config::Balance::hash:
    case config::Balance::hash_consistent:
      return Binding::key;
    default:
      return Binding::none;
  }
}

Moved count_moved(const PoolShape& before, const PoolShape& after) {
  Moved moved;
  moved.binding = binding_of(before);
  for (const auto& spec : before.peers) {
    if (is_there(spec)) share_of(moved, spec.endpoint.text()).was = true;
  }
  for (const auto& spec : after.peers) {
    if (is_there(spec)) share_of(moved, spec.endpoint.text()).is = true;
  }
  if (moved.binding == Binding::none) return moved;
  // Another hash of the same thing can still be compared, client by client.
  moved.all = moved.binding != binding_of(after) || before.sticky != after.sticky ||
              (moved.binding == Binding::key && before.key != after.key);
  if (moved.all) {
    moved.share = 1;
    return moved;
  }
  Chooser old_choice(before);
  Chooser new_choice(after);
  constexpr double kOne = 1.0 / kClients;
  for (std::uint32_t client = 0; client < kClients; ++client) {
    const auto* from = old_choice.choose(client);
    if (from == nullptr) continue;
    const bool stays = moved.binding == Binding::sticky && keeps_clients(before, after, *from);
    const auto* to = stays ? from : new_choice.choose(client);
    share_of(moved, *from).before += kOne;
    if (to != nullptr) share_of(moved, *to).after += kOne;
    if (to == nullptr || *to != *from) moved.share += kOne;
  }
  return moved;
}

}  // namespace weir::upstream
