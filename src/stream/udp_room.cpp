#include "stream/udp_room.h"

#include <sys/resource.h>

#include <algorithm>

#include "proxy/worker.h"
#include "stream/udp_port.h"

namespace weir::stream {
namespace {

constexpr rlim_t kShare = 4;  // one of so many descriptors

}  // namespace

bool UdpRoom::is_full(const proxy::Worker& worker) const {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return false;
  const auto workers = std::max<rlim_t>(1, worker.runtime()->get().model->workers);
  return sessions_ >= std::max<rlim_t>(1, limit.rlim_cur / kShare / workers);
}

bool UdpRoom::make_room(const UdpSession* but) {
  UdpPort* fullest = nullptr;
  for (auto* port : ports_) {
    if (port->first_to_go(but) == nullptr) continue;
    if (fullest == nullptr || port->size() > fullest->size()) fullest = port;
  }
  return fullest != nullptr && fullest->make_room(but);
}

}  // namespace weir::stream
