#include "upstream/operator_state.h"

#include <algorithm>

namespace weir::upstream {
namespace {

bool has_peer(const Pool& pool, const std::string& name) {
  const auto peers = pool.peers();
  return !name.empty() && std::any_of(peers.begin(), peers.end(),
                                      [&](const auto& peer) { return is_named(peer->spec, name); });
}

Hold hold_of(const PoolSetting& setting, const PeerSpec& spec, bool only, bool first) {
  const auto own = OperatorState::setting_of(setting, spec);
  if (own.hold != Hold::none) return own.hold;
  if (only && !is_named(spec, setting.only)) return Hold::aside;
  if (first && !is_named(spec, setting.first)) return Hold::waiting;
  return Hold::none;
}

}  // namespace

bool is_named(const PeerSpec& spec, std::string_view name) {
  return spec.name == name || spec.endpoint.text() == name;
}

const PoolSetting* OperatorState::find(std::string_view pool) const {
  const auto found = pools_.find(std::string(pool));
  return found != pools_.end() ? &found->second : nullptr;
}

void OperatorState::tidy() {
  for (auto& [name, pool] : pools_) {
    std::erase_if(pool.peers, [](const auto& peer) { return peer.second.empty(); });
  }
  std::erase_if(pools_, [](const auto& pool) { return pool.second.empty(); });
}

PeerSetting OperatorState::setting_of(const PoolSetting& pool, const PeerSpec& spec) {
  const auto by_name = pool.peers.find(spec.name);
  const auto by_address = pool.peers.find(spec.endpoint.text());
  auto setting = by_name != pool.peers.end() ? by_name->second : PeerSetting{};
  if (by_address == pool.peers.end()) return setting;
  const auto& own = by_address->second;
  if (own.hold != Hold::none) setting.hold = own.hold;
  if (own.weight) setting.weight = own.weight;
  if (!own.empty()) setting.since = own.since;
  return setting;
}

void OperatorState::set_weights(const std::string& pool, std::vector<PeerSpec>& specs) const {
  const auto* setting = find(pool);
  if (setting == nullptr) return;
  for (auto& spec : specs) {
    if (const auto own = setting_of(*setting, spec); own.weight) spec.weight = *own.weight;
  }
}

void OperatorState::set_holds(Pool& pool, TimePoint now) const {
  const auto* setting = find(pool.name());
  const bool only = setting != nullptr && has_peer(pool, setting->only);
  const bool first = setting != nullptr && has_peer(pool, setting->first);
  const auto peers = pool.peers();
  for (std::uint32_t i = 0; i < peers.size(); ++i) {
    pool.hold(i, setting == nullptr ? Hold::none : hold_of(*setting, peers[i]->spec, only, first),
              now);
  }
}

std::shared_ptr<const Maintenance> OperatorState::maintenance(const std::string& pool) const {
  const auto* setting = find(pool);
  return setting != nullptr ? setting->maintenance : nullptr;
}

}  // namespace weir::upstream
