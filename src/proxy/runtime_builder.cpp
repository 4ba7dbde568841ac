#include "proxy/runtime_builder.h"

#include <iterator>
#include <random>

#include "access/digest.h"
#include "config/locations.h"
#include "config/print.h"
#include "config/text.h"
#include "proxy/trace_exporter.h"

namespace weir::proxy {
namespace {
// Of the name of a pool of stream, if http has one of the same name.
constexpr std::string_view kStreamMark = "stream:";
}  // namespace

RuntimeBuilder::RuntimeBuilder(std::size_t workers)
    : workers_(workers), trace_counts_(std::make_shared<TraceCounts>()) {
  std::random_device random;
  const auto word = [&] { return static_cast<std::uint64_t>(random()) << 32 | random(); };
  seed_ = {word(), word()};
}

template <class T>
std::shared_ptr<PerWorker<T>> RuntimeBuilder::counters(
    std::map<std::string, std::weak_ptr<PerWorker<T>>>& store, const std::string& key) {
  auto& known = store[key];
  auto found = known.lock();
  if (found == nullptr || found->all().size() < workers_) {
    found = std::make_shared<PerWorker<T>>(workers_, found.get());
    known = found;
  }
  return found;
}

RuntimeBuilder::Result RuntimeBuilder::build(std::shared_ptr<const config::Model> model,
                                             const discovery::Resolver& resolver, TimePoint now) {
  auto runtime = std::make_shared<Runtime>();
  runtime->generation = ++generation_;
  runtime->model = std::move(model);
  const auto expired = [](const auto& entry) { return entry.second.expired(); };
  std::erase_if(server_stats_, expired);
  std::erase_if(stream_stats_, expired);
  std::erase_if(location_stats_, expired);
  std::erase_if(peer_stats_, expired);
  std::erase_if(queue_stats_, expired);
  std::vector<std::string> unresolved;
  add_pools(*runtime, resolver, now, unresolved);
  add_tables(*runtime);
  add_servers(*runtime);
  add_traces(*runtime);
  return {std::move(runtime), std::move(unresolved)};
}

void name_peers(std::vector<upstream::PeerSpec>& specs) {
  static constexpr char digits[] = "0123456789abcdef";
  for (auto& spec : specs) {
    if (!spec.sid.empty()) continue;
    char sum[access::kMd5Size];
    if (!access::md5({spec.endpoint.text()}, sum)) continue;  // FIPS: nobody is bound by an address
    for (const char c : sum) {
      const auto byte = static_cast<unsigned char>(c);
      spec.sid.append({digits[byte >> 4], digits[byte & 15]});
    }
  }
}

namespace {

template <class T, class Make>
std::shared_ptr<T> keep(std::map<std::string, std::weak_ptr<T>>& store, const std::string& key,
                        const Make& make) {
  std::erase_if(store, [](const auto& entry) { return entry.second.expired(); });
  auto& known = store[key];
  auto found = known.lock();
  if (found == nullptr) known = found = make();
  return found;
}

}  // namespace

void RuntimeBuilder::add_affinity(PoolNode& node, const config::UpstreamConfig& upstream) {
  node.config = &upstream;
  if (upstream.queue.size > 0) {
    node.queue = keep(queues_, upstream.name, [] { return std::make_shared<PoolQueue>(); });
    node.queue_stats = counters(queue_stats_, upstream.name);
  }
  if (!upstream.sticky || upstream.sticky->kind != config::StickyConfig::Kind::learn) return;
  const auto& sticky = *upstream.sticky;
  node.sessions = keep(sessions_, sticky.zone + " " + std::to_string(sticky.zone_size), [&] {
    return std::make_shared<weir::upstream::Sessions>(sticky.zone_size, seed_,
                                                      HashSeed{~seed_.second, seed_.first});
  });
}

void RuntimeBuilder::add_pools(Runtime& runtime, const discovery::Resolver& resolver, TimePoint now,
                               std::vector<std::string>& unresolved) {
  for (std::uint32_t i = 0; i < runtime.model->upstreams.size(); ++i) {
    const auto& upstream = runtime.model->upstreams[i];
    auto found = discovery::static_peers(upstream, resolver, &places_, now);
    if (upstream.registry && registry_peers_) {
      auto more = registry_peers_(upstream);
      std::move(more.begin(), more.end(), std::back_inserter(found.specs));
    }
    if (upstream.sticky) name_peers(found.specs);
    unresolved.insert(unresolved.end(), found.unresolved.begin(), found.unresolved.end());
    PoolNode node;
    if (operators_ != nullptr) {
      operators_->set_weights(upstream.name, found.specs);
      node.maintenance = operators_->maintenance(upstream.name);
    }
    node.pool = peers_.build(upstream, found.specs);
    const bool by_key = upstream.balance == config::Balance::hash ||
                        upstream.balance == config::Balance::hash_consistent;
    if (by_key) node.hash_key = &upstream.balance_key;
    node.keepalive = upstream.keepalive;
    Duration grace{0};
    for (const auto& check : upstream.health_checks) grace = std::max(grace, check.grace);
    if (grace > Duration{0}) {
      node.grace = std::make_shared<StartGrace>(*node.pool, grace);
    }
    add_affinity(node, upstream);
    for (const auto& peer : node.pool->peers()) {
      node.stats.push_back(counters(peer_stats_, upstream.name + "/" + peer->text));
    }
    if (upstream.stream) {
      const bool marked = upstream.name.starts_with(kStreamMark);
      const auto name = upstream.name.substr(marked ? kStreamMark.size() : 0);
      runtime.stream_pool_by_name.emplace(config::lower(name), i);
    } else {
      runtime.pool_by_name.emplace(config::lower(upstream.name), i);
    }
    runtime.pools.push_back(std::move(node));
  }
}

namespace {

template <class Zone>
std::shared_ptr<Zone> zone_of(std::map<std::string, std::weak_ptr<Zone>>& store,
                              const config::LimitZone& config, const std::string& key,
                              HashSeed seed) {
  auto& known = store[key];
  auto zone = known.lock();
  if (zone == nullptr) {
    zone = std::make_shared<Zone>(static_cast<std::size_t>(config.size), seed);
    known = zone;
  }
  return zone;
}

std::shared_ptr<const access::Geo> make_geo(const config::GeoConfig& config) {
  access::GeoBuilder builder;
  if (config.ranges) static_cast<void>(builder.use_ranges());
  if (config.proxy_recursive) builder.set_recursive();
  for (const auto& proxy : config.proxies) builder.add_proxy(proxy.text());
  builder.set_default(config.default_);
  for (const auto& entry : config.networks) builder.add(entry.network.text(), entry.value);
  const auto text = [](std::uint32_t address) {
    return std::to_string(address >> 24) + "." + std::to_string(address >> 16 & 255) + "." +
           std::to_string(address >> 8 & 255) + "." + std::to_string(address & 255);
  };
  for (const auto& range : config.address_ranges) {
    builder.add(text(range.from) + "-" + text(range.to), range.value);
  }
  return builder.build();
}

std::string to_hex(std::string_view bytes) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out.append({digits[byte >> 4], digits[byte & 15]});
  }
  return out;
}

}  // namespace

// The one before goes on if nothing is said otherwise: spans wait in it.
void RuntimeBuilder::add_traces(Runtime& runtime) {
  const auto& config = runtime.model->trace;
  if (config.host.empty()) {
    traces_ = nullptr;
  } else if (traces_ == nullptr || !(traces_->config() == config)) {
    traces_ = std::make_shared<TraceExporter>(config, trace_counts_);
  }
  runtime.traces = traces_;
  runtime.trace_counts = trace_counts_;
}

void RuntimeBuilder::add_zones(RouteParts& parts) {
  std::erase_if(request_zones_, [](const auto& entry) { return entry.second.expired(); });
  std::erase_if(connection_zones_, [](const auto& entry) { return entry.second.expired(); });
  for (const auto& zone : parts.model.limit_zones) {
    const std::string key =
        zone.name + " " + std::to_string(zone.size) + " " + config::print(zone.key, parts.model);
    parts.request_zones.push_back(zone.requests ? zone_of(request_zones_, zone, key, seed_)
                                                : nullptr);
    parts.connection_zones.push_back(zone.requests ? nullptr
                                                   : zone_of(connection_zones_, zone, key, seed_));
  }
}

void RuntimeBuilder::add_tables(Runtime& runtime) {
  for (const auto& geo : runtime.model->geos) runtime.geos.push_back(make_geo(geo));
  for (const auto& split : runtime.model->split_clients) {
    std::vector<access::SplitClients::Part> parts;
    for (const auto& part : split.parts) {
      std::optional<std::uint32_t> share;
      if (part.hundredths > 0) share = part.hundredths;
      parts.push_back({share, std::string(part.value.constant())});
    }
    runtime.splits.push_back(access::SplitClients::make(std::move(parts)).value());
  }
  for (const auto& map : runtime.model->charset_maps) {
    auto table = std::make_shared<content::CharsetMap>(map.from, map.to);
    for (const auto& entry : map.entries) {
      const char byte = static_cast<char>(entry.byte);
      static_cast<void>(table->add(to_hex({&byte, 1}), to_hex(entry.text)));
    }
    static_cast<void>(runtime.charsets.add(std::move(table)));
  }
}

namespace {

// What the counters of a server go by.
std::string server_key(const config::ServerConfig& server, std::size_t index) {
  const auto& name = server.primary_name;
  return name.empty() ? "#" + std::to_string(index) : name;
}

}  // namespace

void RuntimeBuilder::add_servers(Runtime& runtime) {
  RouteParts parts{*runtime.model, {}, {}, {}, &runtime.charsets, nullptr, log_files_, {}, {}, {}};
  parts.counters = [&](const config::Location& location) {
    const auto text = config::location_text(location);
    const auto& server = *parts.server;
    auto stats = counters(location_stats_, server_key(server, runtime.servers.size()) + " " + text);
    runtime.location_stats.push_back({&server, text, stats});
    return stats;
  };
  add_zones(parts);
  for (const auto& config : runtime.model->servers) {
    const auto index = static_cast<std::uint32_t>(runtime.servers.size());
    parts.server = config.get();
    runtime.servers.push_back(std::make_unique<ServerNode>(*config, index, parts));
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
    runtime.server_stats.push_back(counters(server_stats_, server_key(*config, index)));
  }
  parts.server = nullptr;
  parts.counters = nullptr;  // of HTTP's locations
  for (const auto& config : runtime.model->streams) {
    runtime.streams.push_back(std::make_unique<StreamNode>(*config, parts));
    for (const auto& listen : config->listens) {
      runtime.stream_listens.emplace(listen.text,
                                     StreamListen{&listen, runtime.streams.back().get(),
                                                  counters(stream_stats_, listen.text)});
    }
  }
  for (auto& [targets, log] : parts.logs) runtime.logs.push_back(std::move(log));
}

}  // namespace weir::proxy
