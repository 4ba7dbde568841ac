#include "proxy/runtime_builder.h"

#include "discovery/static.h"

namespace weir::proxy {

template <class T>
std::shared_ptr<PerWorker<T>> RuntimeBuilder::counters(
    std::map<std::string, std::weak_ptr<PerWorker<T>>>& store, const std::string& key) {
  auto& known = store[key];
  auto found = known.lock();
  if (found == nullptr) {
    found = std::make_shared<PerWorker<T>>(workers_);
    known = found;
  }
  return found;
}

RuntimeBuilder::Result RuntimeBuilder::build(std::shared_ptr<const config::Model> model) {
  auto runtime = std::make_shared<Runtime>();
  runtime->generation = ++generation_;
  runtime->model = std::move(model);
  std::erase_if(server_stats_, [](const auto& entry) { return entry.second.expired(); });
  std::erase_if(peer_stats_, [](const auto& entry) { return entry.second.expired(); });
  if (auto error = add_pools(*runtime); !error.empty()) {
    peers_.discard();
    return {nullptr, std::move(error)};
  }
  add_servers(*runtime);
  return {std::move(runtime), {}};
}

std::string RuntimeBuilder::add_pools(Runtime& runtime) {
  for (std::uint32_t i = 0; i < runtime.model->upstreams.size(); ++i) {
    const auto& upstream = runtime.model->upstreams[i];
    const auto found = discovery::static_peers(upstream);
    if (!found.ok()) return found.error;
    PoolNode node;
    node.pool = peers_.build(upstream, found.specs);
    node.keepalive = upstream.keepalive;
    for (const auto& peer : node.pool->peers()) {
      node.stats.push_back(counters(peer_stats_, upstream.name + "/" + peer->text));
    }
    runtime.pool_by_name.emplace(upstream.name, i);
    runtime.pools.push_back(std::move(node));
  }
  return {};
}

void RuntimeBuilder::add_servers(Runtime& runtime) {
  for (const auto& config : runtime.model->servers) {
    const auto index = static_cast<std::uint32_t>(runtime.servers.size());
    runtime.servers.push_back(std::make_unique<ServerNode>(*config, index));
    const auto& server = *runtime.servers.back();
    for (const auto& listen : config->listens) {
      ListenNode* node = nullptr;
      for (const auto& have : runtime.listens) {
        if (have->listen.text == listen.text) node = have.get();
      }
      if (node == nullptr) {
        runtime.listens.push_back(std::make_unique<ListenNode>());
        node = runtime.listens.back().get();
        node->listen = listen;
        if (!listen.endpoint.is_unix()) node->port_text = std::to_string(listen.endpoint.ip.port());
      } else if (listen.default_server || listen.backlog != config::Listen{}.backlog) {
        node->listen = listen;  // socket options stand at one of an address's lines
      }
      node->hosts.add(server, listen.default_server);
    }
    const auto& name = config->primary_name;
    runtime.server_stats.push_back(
        counters(server_stats_, name.empty() ? "#" + std::to_string(index) : name));
  }
}

}  // namespace weir::proxy
