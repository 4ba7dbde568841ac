// Who has to do with a peer, so that they hear at once when it goes: attempts that wait for it need
// not sit out their time-outs, and tunnels are ended. Worker thread.
#pragma once

#include <utility>

#include "net/loop.h"
#include "upstream/peer.h"

namespace weir::proxy {

class PeerWatches;

class PeerWatch {
 public:
  PeerWatch(PeerWatches& list, const upstream::Peer& peer, net::Waiter& waiter);
  ~PeerWatch();
  PeerWatch(const PeerWatch&) = delete;
  PeerWatch& operator=(const PeerWatch&) = delete;

  // Nobody answers there any more: checks found it so since this began.
  [[nodiscard]] bool gone() const { return gone_; }
  // It is to have no more tunnels since this began: Peer::leaving, or an operator has it down.
  [[nodiscard]] bool leaving() const { return leaving_.begun; }
  // The same, but for what a configuration or a name's addresses say: checks find it down, or an
  // operator has it down.
  [[nodiscard]] bool out_of_service() const { return out_.begun; }
  // It is drained, by whomever: it is to have none but of clients that are bound to it.
  [[nodiscard]] bool draining() const { return draining_; }

 private:
  friend class PeerWatches;
  // A state that is news only if it begins under the watch: who was picked all the same, knowing
  // it, is not to be told of it by whatever happens next.
  struct Onset {
    bool was;  // when it was looked at last
    bool begun = false;
    // True: `begun` has changed.
    bool look(bool is) {
      const bool now = is && (begun || !was);
      was = is;
      return std::exchange(begun, now) != now;
    }
  };
  static bool is_leaving(const upstream::Peer& peer) {
    return peer.leaving.load(std::memory_order_relaxed) || is_held_down(peer);
  }
  static bool is_out(const upstream::Peer& peer) {
    return peer.health.load(std::memory_order_relaxed) == upstream::Health::down ||
           is_held_down(peer);
  }
  static bool is_held_down(const upstream::Peer& peer) {
    return peer.hold.load(std::memory_order_relaxed) == upstream::Hold::down;
  }
  bool look();

  PeerWatches& list_;
  const upstream::Peer& peer_;
  net::Waiter& waiter_;
  PeerWatch* prev_ = nullptr;
  PeerWatch* next_ = nullptr;
  Onset silent_;
  Onset leaving_;
  Onset out_;
  bool gone_ = false;
  bool draining_ = false;
};

class PeerWatches {
 public:
  // Peers have changed: tells those whom it concerns.
  void look() {
    for (PeerWatch* each = first_; each != nullptr; each = each->next_) {
      // The woken ones run after this turn's posted work: the list stays as it is meanwhile.
      if (each->look()) each->waiter_.notify();
    }
  }

 private:
  friend class PeerWatch;
  PeerWatch* first_ = nullptr;
};

inline PeerWatch::PeerWatch(PeerWatches& list, const upstream::Peer& peer, net::Waiter& waiter)
    : list_(list),
      peer_(peer),
      waiter_(waiter),
      next_(list.first_),
      silent_{peer.gone.load(std::memory_order_relaxed)},
      leaving_{is_leaving(peer)},
      out_{is_out(peer)} {
  if (next_ != nullptr) next_->prev_ = this;
  list.first_ = this;
}

// True: there is news.
inline bool PeerWatch::look() {
  bool news = silent_.look(peer_.gone.load(std::memory_order_relaxed));
  // Once lost, what was asked of it does not come any more.
  gone_ = gone_ || silent_.begun;
  news = leaving_.look(is_leaving(peer_)) || news;
  news = out_.look(is_out(peer_)) || news;
  const bool draining = peer_.draining.load(std::memory_order_relaxed) ||
                        peer_.hold.load(std::memory_order_relaxed) == upstream::Hold::draining;
  return std::exchange(draining_, draining) != draining || news;
}

inline PeerWatch::~PeerWatch() {
  (prev_ != nullptr ? prev_->next_ : list_.first_) = next_;
  if (next_ != nullptr) next_->prev_ = prev_;
}

}  // namespace weir::proxy
