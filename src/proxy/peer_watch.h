// Who has to do with a peer, so that they hear at once when it goes: attempts that wait for it need
// not sit out their time-outs, and tunnels are ended. Worker thread.
#pragma once

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
  // It is to have no more tunnels: it is down, or is being drained.
  [[nodiscard]] bool leaving() const { return leaving_; }

 private:
  friend class PeerWatches;
  PeerWatches& list_;
  const upstream::Peer& peer_;
  net::Waiter& waiter_;
  PeerWatch* prev_ = nullptr;
  PeerWatch* next_ = nullptr;
  bool gone_ = false;
  bool leaving_ = false;
};

class PeerWatches {
 public:
  // Peers have changed: tells those whom it concerns.
  void look() {
    for (PeerWatch* each = first_; each != nullptr; each = each->next_) {
      const bool gone = each->peer_.gone.load(std::memory_order_relaxed);
      const bool leaving = each->peer_.leaving.load(std::memory_order_relaxed);
      const bool news = (gone && !each->gone_) || (leaving && !each->leaving_);
      each->gone_ = each->gone_ || gone;
      each->leaving_ = leaving;
      // The woken ones run after this turn's posted work: the list stays as it is meanwhile.
      if (news) each->waiter_.notify();
    }
  }

 private:
  friend class PeerWatch;
  PeerWatch* first_ = nullptr;
};

inline PeerWatch::PeerWatch(PeerWatches& list, const upstream::Peer& peer, net::Waiter& waiter)
    : list_(list), peer_(peer), waiter_(waiter), next_(list.first_) {
  if (next_ != nullptr) next_->prev_ = this;
  list.first_ = this;
}

inline PeerWatch::~PeerWatch() {
  (prev_ != nullptr ? prev_->next_ : list_.first_) = next_;
  if (next_ != nullptr) next_->prev_ = prev_;
}

}  // namespace weir::proxy
