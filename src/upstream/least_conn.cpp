#include "upstream/peer_list.h"

namespace weir::upstream {

PeerSlot* choose_least_conn(PeerList& list, TriedSet& tried, std::int64_t now) {
  return choose_least(list, tried, now, is_less_loaded);
}

}  // namespace weir::upstream
