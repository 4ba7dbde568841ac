#include "upstream/peer.h"

namespace weir::upstream {

const char* to_string(Health health) {
  switch (health) {
    case Health::unchecked:
      return "unchecked";
    case Health::checking:
      return "checking";
    case Health::up:
      return "up";
    case Health::down:
      return "down";
  }
  return "";
}

std::shared_ptr<Peer> copy_peer(const Peer& peer) {
  const auto same = [](auto& to, const auto& from) { to.store(from.load()); };
  auto copy = std::make_shared<Peer>(peer.spec);
  same(copy->health, peer.health);
  same(copy->hold, peer.hold);
  same(copy->recovered, peer.recovered);
  same(copy->conns, peer.conns);
  same(copy->ejections, peer.ejections);
  same(copy->gone, peer.gone);
  same(copy->leaving, peer.leaving);
  copy->ramp = peer.ramp;
  copy->eject = peer.eject;
  copy->fails = peer.fails;
  copy->effective_weight = peer.effective_weight;
  copy->current_weight = peer.current_weight;
  copy->accessed = peer.accessed;
  copy->checked = peer.checked;
  copy->header_time = peer.header_time;
  copy->response_time = peer.response_time;
  copy->inflight_time = peer.inflight_time;
  copy->inflight = peer.inflight;
  copy->inflight_starts = peer.inflight_starts;
  return copy;
}

const char* to_string(Hold hold) {
  switch (hold) {
    case Hold::none:
      return "none";
    case Hold::draining:
      return "draining";
    case Hold::down:
      return "down";
    case Hold::waiting:
      return "waiting";
    case Hold::aside:
      return "aside";
  }
  return "";
}

}  // namespace weir::upstream
