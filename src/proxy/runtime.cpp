#include "proxy/runtime.h"

namespace weir::proxy {

const ListenNode* Runtime::listen_covering(const IpAddress& local) const {
  if (!local.is_v4() && !local.is_v6()) return nullptr;
  const ListenNode* wide = nullptr;
  for (const auto& node : listens) {
    const auto& endpoint = node->listen.endpoint;
    if (endpoint.is_unix() || endpoint.ip.port() != local.port()) continue;
    if (endpoint.ip == local) return node.get();
    const bool same_family = endpoint.ip.family() == local.family();
    const bool both = endpoint.ip.is_v6() && !node->listen.ipv6only.value_or(true);
    if (endpoint.ip.is_wildcard() && (same_family || both)) wide = node.get();
  }
  return wide;
}

}  // namespace weir::proxy
