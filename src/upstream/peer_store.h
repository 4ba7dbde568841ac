// Keeps peers alive across reloads: a peer of the new configuration is the one of the old if pool,
// address, backup and check settings are the same, so health, failures and what is in flight
// survive. Control thread only; one for the process.
//
// A reload builds aside: build() changes nothing that is in use. commit() makes it the present
// state, discard() forgets it.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/spin_lock.h"
#include "config/model.h"
#include "upstream/peer.h"
#include "upstream/pool.h"

namespace weir::upstream {

class PeerStore {
 public:
  // The pool of `config` with peers for `specs`, earlier ones where there are any.
  [[nodiscard]] std::shared_ptr<Pool> build(const config::UpstreamConfig& config,
                                            std::span<const PeerSpec> specs);
  // What was built since the last commit replaces all before. Only now the numbers of Peer::spec
  // change, under the pool lock; round robin starts anew where peers or weights are others.
  // Peers that came to a pool that was there begin with slow_start at `now`.
  void commit(TimePoint now);
  void discard();

 private:
  struct Entry {
    std::shared_ptr<SpinLock> lock;
    std::vector<std::shared_ptr<Peer>> peers;
    std::vector<PeerSpec> specs;
    bool checked = false;
  };
  struct Generation {
    std::map<std::string, Entry> pools;  // by name
    std::map<std::string, std::shared_ptr<Peer>> peers;
  };
  static bool came_back(const Entry& before, const std::shared_ptr<Peer>& peer);
  static void adopt(const Entry& entry, const Entry* before, TimePoint now);

  Generation present_;
  Generation pending_;
};

}  // namespace weir::upstream
