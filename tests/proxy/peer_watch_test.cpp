// What a watch tells of its peer, and what it keeps to itself.
#include "proxy/peer_watch.h"

#include <doctest/doctest.h>

using namespace weir;
using namespace weir::proxy;
using upstream::Health;
using upstream::Hold;

namespace {

struct Fixture {
  SystemClock clock;
  net::Loop loop{clock};
  net::Waiter waiter{loop};
  PeerWatches watches;
  upstream::Peer peer{upstream::PeerSpec{}};

  void fails() {
    peer.gone = true;
    peer.leaving = true;
    peer.health = Health::down;
  }
  void recovers() {
    peer.gone = false;
    peer.leaving = false;
    peer.health = Health::up;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a peer that was down when it was picked is no news until it is again") {
  fails();
  const PeerWatch watch(watches, peer, waiter);
  for (int i = 0; i < 2; ++i) {
    watches.look();
    CHECK_FALSE(watch.gone());
    CHECK_FALSE(watch.leaving());
    CHECK_FALSE(watch.out_of_service());
  }
  recovers();
  watches.look();
  CHECK_FALSE(watch.leaving());
  fails();
  watches.look();
  CHECK(watch.gone());
  CHECK(watch.leaving());
  CHECK(watch.out_of_service());
}

TEST_CASE_FIXTURE(Fixture,
                  "a peer that comes back is not leaving any more, but what it had is lost") {
  const PeerWatch watch(watches, peer, waiter);
  fails();
  watches.look();
  CHECK(watch.leaving());
  recovers();
  watches.look();
  CHECK_FALSE(watch.leaving());
  CHECK(watch.gone());
}

TEST_CASE_FIXTURE(Fixture, "what a configuration takes out is leaving, but not out of service") {
  const PeerWatch watch(watches, peer, waiter);
  peer.leaving = true;
  watches.look();
  CHECK(watch.leaving());
  CHECK_FALSE(watch.out_of_service());
  peer.leaving = false;
  peer.hold = Hold::draining;
  watches.look();
  CHECK(watch.draining());
  CHECK_FALSE(watch.leaving());
  CHECK_FALSE(watch.out_of_service());
  peer.hold = Hold::down;
  watches.look();
  CHECK(watch.leaving());
  CHECK(watch.out_of_service());
}
