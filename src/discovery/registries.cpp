#include "discovery/registries.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

namespace weir::discovery {

Registries::Registries(boost::asio::io_context& io, const Clock& clock, Log& log,
                       registry::Random random, std::function<void()> changed)
    : io_(io),
      clock_(clock),
      log_(log),
      random_(std::move(random)),
      changed_(std::move(changed)),
      patience_(io) {}

std::shared_ptr<RegistryReader> Registries::reader_for(const config::UpstreamConfig& upstream) {
  const auto& config = *upstream.registry;
  const auto before = present_.find(upstream.name);
  const bool same_nodes = before != present_.end() && before->second->config().same_nodes(config);
  if (same_nodes && before->second->config().same_settings(config)) return before->second;
  auto reader = std::make_shared<RegistryReader>(
      RegistryReader::Parts{.io = io_,
                            .clock = clock_,
                            .log = log_,
                            .random = random_,
                            .changed = [this] { on_change(); },
                            .settled = [this] { check_ready(); }},
      upstream.name, config, same_nodes ? before->second->slots() : Slots(config.forget));
  reader->start();
  return reader;
}

// What is prepared reads the lists when it is built.
void Registries::on_change() {
  if (pending_) {
    missed_ = true;
  } else {
    changed_();
  }
}

void Registries::prepare(const config::Model& model, std::function<void()> ready) {
  discard();
  Readers next;
  for (const auto& upstream : model.upstreams) {
    if (upstream.registry) next.emplace(upstream.name, reader_for(upstream));
  }
  pending_ = std::move(next);
  ready_ = std::move(ready);
  const bool waits = std::any_of(pending_->begin(), pending_->end(),
                                 [](const auto& entry) { return !entry.second->settled(); });
  if (!waits) return std::exchange(ready_, nullptr)();
  patience_.expires_after(kPatience);
  patience_.async_wait([this](const boost::system::error_code& error) {
    if (error || ready_ == nullptr) return;
    std::exchange(ready_, nullptr)();
  });
}

// Called by readers: what it leads to may do away with them.
void Registries::check_ready() {
  if (ready_ == nullptr || !pending_) return;
  const bool waits = std::any_of(pending_->begin(), pending_->end(),
                                 [](const auto& entry) { return !entry.second->settled(); });
  if (waits) return;
  patience_.cancel();
  boost::asio::post(io_, [ready = std::exchange(ready_, nullptr)] { ready(); });
}

void Registries::commit() {
  if (!pending_) return;
  missed_ = false;
  auto before = std::exchange(present_, std::move(*pending_));
  pending_.reset();
  for (auto& [name, reader] : before) {
    const auto kept = present_.find(name);
    if (kept == present_.end() || kept->second != reader) reader->stop();
  }
  for (auto& [name, reader] : present_) reader->set_in_force();
}

void Registries::discard() {
  ready_ = nullptr;
  patience_.cancel();
  if (!pending_) return;
  for (auto& [name, reader] : *pending_) {
    const auto kept = present_.find(name);
    if (kept == present_.end() || kept->second != reader) reader->stop();
  }
  pending_.reset();
  if (std::exchange(missed_, false)) boost::asio::post(io_, changed_);
}

void Registries::stop() {
  discard();
  for (auto& [name, reader] : present_) reader->stop();
}

const RegistryReader* Registries::reader_of(const config::UpstreamConfig& upstream) const {
  const auto& config = *upstream.registry;
  if (pending_) {
    // What is in force may be built once more while the next one is prepared.
    const auto next = pending_->find(upstream.name);
    if (next != pending_->end() && next->second->config().same_nodes(config) &&
        next->second->config().same_settings(config)) {
      return next->second.get();
    }
  }
  const auto present = present_.find(upstream.name);
  return present != present_.end() ? present->second.get() : nullptr;
}

std::vector<upstream::PeerSpec> Registries::peers(const config::UpstreamConfig& upstream,
                                                  const Resolver& resolver) const {
  std::vector<weir::upstream::PeerSpec> specs;
  const auto* reader = reader_of(upstream);
  if (reader == nullptr) return specs;
  const auto& list = reader->slots().list();
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (!list[i]) continue;
    const Slot& slot = *list[i];
    weir::upstream::PeerSpec spec{.name = slot.node.addr, .endpoint = {}, .why_down = {}};
    auto address = IpAddress::parse(slot.where.host);
    if (!address) {
      auto addresses = resolver({.host = slot.where.host}).found;
      if (addresses.empty()) continue;
      // One slot is one peer: always the same of several addresses.
      address = *std::min_element(addresses.begin(), addresses.end(), comes_before);
    }
    address->set_port(slot.where.port);
    spec.endpoint.ip = *address;
    spec.weight = slot.node.weight;
    spec.slot = static_cast<std::int32_t>(i);
    spec.newcomer = slot.newcomer;
    spec.drain = slot.presence == Presence::draining;
    spec.down = slot.presence != Presence::serving && !spec.drain;
    const auto& node = upstream.registry->node;
    spec.max_fails = node.max_fails;
    spec.fail_timeout = node.fail_timeout;
    spec.max_conns = node.max_conns;
    spec.slow_start = node.slow_start;
    // Where failures are counted by `eject`, they are counted twice only if that is asked for.
    if (upstream.eject.on && !upstream.registry->counts_fails) spec.max_fails = 0;
    if (slot.presence != Presence::serving) spec.why_down = to_string(slot.presence);
    specs.push_back(std::move(spec));
  }
  return specs;
}

std::set<std::string> Registries::host_names() const {
  std::set<std::string> names;
  for (const auto& [name, reader] : present_) {
    for (const auto& slot : reader->slots().list()) {
      if (slot && !IpAddress::parse(slot->where.host)) names.insert(slot->where.host);
    }
  }
  return names;
}

std::optional<RegistryStatus> Registries::status(const std::string& upstream) const {
  const auto found = present_.find(upstream);
  if (found == present_.end()) return std::nullopt;
  return found->second->status();
}

}  // namespace weir::discovery
