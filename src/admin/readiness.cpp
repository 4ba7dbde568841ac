#include <set>

#include "admin/pages.h"

namespace weir::admin {
namespace {

void collect_upstreams(const config::Location& location, std::set<std::uint32_t>& found) {
  if (location.proxy() != nullptr && location.proxy()->upstream)
    found.insert(*location.proxy()->upstream);
  for (const auto& nested : location.nested) collect_upstreams(*nested, found);
}

// Pools that a location names. Which ones a proxy_pass with variables will name, nobody knows.
std::set<std::uint32_t> used_pools(const config::Model& model) {
  std::set<std::uint32_t> found;
  for (const auto& server : model.servers) {
    if (server->root != nullptr) collect_upstreams(*server->root, found);
  }
  for (const auto& server : model.streams) {
    if (server->upstream) found.insert(*server->upstream);
  }
  return found;
}

}  // namespace

Ready readiness(const Source& source) {
  Ready result;
  const auto runtime = source.present();
  if (runtime == nullptr) {
    result.text = "no configuration is loaded\n";
    return result;
  }
  if (source.is_draining()) result.text += "shutting down\n";
  const TimePoint now = source.clock->now();
  for (const auto index : used_pools(*runtime->model)) {
    const auto& pool = *runtime->pools[index].pool;
    if (pool.live(now) > 0) continue;
    result.text += "upstream \"" + pool.name() + "\": no live peer of " +
                   std::to_string(pool.peers().size()) + "\n";
  }
  result.ready = result.text.empty();
  if (result.ready) result.text = "ready\n";
  return result;
}

}  // namespace weir::admin
