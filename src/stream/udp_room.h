// How many sessions of UDP a worker may have: each takes a descriptor, and whoever sends from
// addresses that are not its own begins as many as it likes. One for each worker, shared by its
// ports; worker thread.
#pragma once

#include <cstddef>
#include <unordered_set>

namespace weir::proxy {
class Worker;
}

namespace weir::stream {

class UdpPort;
class UdpSession;

class UdpRoom {
 public:
  void add(UdpPort& port) { ports_.insert(&port); }
  void remove(UdpPort& port) { ports_.erase(&port); }
  void begun() { ++sessions_; }
  void ended() { --sessions_; }

  // Whether there are as many as may be: of the descriptors that the process may have, a quarter
  // is for the sessions of all workers.
  [[nodiscard]] bool is_full(const proxy::Worker& worker) const;
  // Ends one, but not `but`, of the port that has most. False: there is none.
  bool make_room(const UdpSession* but);

 private:
  std::unordered_set<UdpPort*> ports_;
  std::size_t sessions_ = 0;  // but for those that are ending
};

}  // namespace weir::stream
