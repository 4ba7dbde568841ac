#include "admin/peer_view.h"

#include <algorithm>

namespace weir::admin {
namespace {

using upstream::Health;
using upstream::Hold;
using upstream::Peer;
using upstream::PeerSpec;

using Account = upstream::Pool::Account;

std::int64_t whole_seconds(TimePoint now) {
  return std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
}

// What an operator says goes before what checks and failures say: it is what has to be undone.
PeerState state_of(const PeerSpec& spec, Hold hold, Health health, bool banned) {
  if (!spec.why_down.empty()) return PeerState::withheld;
  if (spec.vanished) return PeerState::vanished;
  if (spec.down) return PeerState::disabled;
  switch (hold) {
    case Hold::none:
      break;
    case Hold::draining:
      return PeerState::draining;
    case Hold::down:
      return PeerState::stopped;
    case Hold::waiting:
      return PeerState::waiting;
    case Hold::aside:
      return PeerState::aside;
  }
  if (spec.drain) return PeerState::draining;
  if (health == Health::down) return PeerState::down;
  if (health == Health::checking) return PeerState::checking;
  if (banned) return PeerState::failed;
  return health == Health::up ? PeerState::up : PeerState::unchecked;
}

std::string ban_text(const PeerSpec& spec, const Account& account, std::int64_t now) {
  const auto left = spec.fail_timeout.count() - (now - account.checked) + 1;
  return std::to_string(account.fails) + " failed, max_fails=" + std::to_string(spec.max_fails) +
         ", tried again in " + std::to_string(std::max<std::int64_t>(left, 1)) + " s";
}

// A state that an operator has set: why, and since when. False: it is none of those.
bool tell_hold(const Source& source, const upstream::Pool& pool, const PeerSpec& spec,
               PeerView& view) {
  const auto* setting = source.operators != nullptr ? source.operators->find(pool.name()) : nullptr;
  const auto own = setting != nullptr ? upstream::OperatorState::setting_of(*setting, spec)
                                      : upstream::PeerSetting{};
  std::int64_t since = 0;
  switch (view.state) {
    case PeerState::draining:
    case PeerState::stopped:
      view.reason = own.hold == Hold::none ? "drain in the configuration" : "set at run time";
      since = own.since;
      break;
    case PeerState::waiting:
      view.reason = "until " + (setting != nullptr ? setting->first : "another") + " is ready";
      since = setting != nullptr ? setting->since : 0;
      break;
    case PeerState::aside:
      view.reason = "only " + (setting != nullptr ? setting->only : "another") + " is to serve";
      since = setting != nullptr ? setting->since : 0;
      break;
    default:
      return false;
  }
  const auto wall = source.clock->wall().time_since_epoch();
  if (since > 0) view.since = std::max(wall - std::chrono::seconds(since), Duration{0});
  return true;
}

}  // namespace

const char* to_string(PeerState state) {
  switch (state) {
    case PeerState::up:
      return "up";
    case PeerState::down:
      return "down";
    case PeerState::checking:
      return "checking";
    case PeerState::unchecked:
      return "unchecked";
    case PeerState::disabled:
      return "down by configuration";
    case PeerState::withheld:
      return "down by registry";
    case PeerState::failed:
      return "failed";
    case PeerState::draining:
      return "draining";
    case PeerState::stopped:
      return "down by operator";
    case PeerState::waiting:
      return "waiting";
    case PeerState::aside:
      return "aside";
    case PeerState::vanished:
      return "vanished";
  }
  return "";
}

PeerView view_peer(const Source& source, const upstream::Pool& pool, std::size_t index,
                   TimePoint now) {
  const Peer& peer = *pool.peers()[index];
  const PeerSpec& spec = peer.spec;
  const Account account = pool.account(static_cast<std::uint32_t>(index), now);
  const std::int64_t seconds = whole_seconds(now);
  PeerView view;
  view.state = state_of(spec, peer.hold.load(std::memory_order_relaxed),
                        peer.health.load(std::memory_order_acquire), account.banned);
  view.fails = account.fails;
  view.in_flight = peer.conns.load(std::memory_order_relaxed);
  view.checked = source.prober != nullptr ? source.prober->find(peer) : nullptr;
  const bool full = spec.max_conns > 0 && view.in_flight >= spec.max_conns;
  view.eligible = !full && (view.state == PeerState::up || view.state == PeerState::unchecked);
  if (view.state == PeerState::vanished) {
    view.reason = "its name has this address no more; it keeps its place for a while";
  } else if (view.state == PeerState::disabled) {
    view.reason = "down in the configuration";
  } else if (view.state == PeerState::withheld) {
    view.reason = spec.why_down;
  } else if (tell_hold(source, pool, spec, view)) {
    const auto health = peer.health.load(std::memory_order_relaxed);
    if (view.checked != nullptr && (health == Health::down || health == Health::checking)) {
      view.reason +=
          std::string("; ") + upstream::to_string(health) + ": " + view.checked->reason();
    }
  } else if (account.ejected) {
    const auto left = std::chrono::ceil<std::chrono::seconds>(account.ejected_for).count();
    view.reason =
        "ejected for failures of its requests, tried again in " + std::to_string(left) + " s";
  } else if (view.state == PeerState::failed) {
    view.reason = ban_text(spec, account, seconds);
    view.since = std::chrono::seconds(std::max<std::int64_t>(seconds - account.accessed, 0));
  } else if (view.checked != nullptr) {
    view.reason = view.checked->reason();
    view.since = std::max(now - view.checked->since(), Duration{0});
  }
  if (full) view.reason += std::string(view.reason.empty() ? "" : "; ") + "max_conns reached";
  return view;
}

}  // namespace weir::admin
