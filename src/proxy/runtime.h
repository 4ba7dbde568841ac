// A configuration made ready to serve: routes, pools, what is counted. Immutable once published;
// requests pin the one they began with, so a reload changes nothing for them.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "access/geo.h"
#include "access/split_clients.h"
#include "config/model.h"
#include "content/charset.h"
#include "proxy/pool_queue.h"
#include "proxy/routes.h"
#include "proxy/start_grace.h"
#include "proxy/stats.h"
#include "proxy/stream_node.h"
#include "upstream/operator_state.h"
#include "upstream/pool.h"
#include "upstream/sessions.h"

namespace weir::proxy {

class TraceExporter;
struct TraceCounts;

struct PoolNode {
  std::shared_ptr<upstream::Pool> pool;
  const config::UpstreamConfig* config = nullptr;  // in the model; null: made for an address
  std::shared_ptr<upstream::Sessions> sessions;    // of `sticky learn`
  std::shared_ptr<PoolQueue> queue;                // null: nobody waits
  const config::Value* hash_key = nullptr;         // of the method `hash`; in the model
  config::KeepaliveConfig keepalive;
  std::shared_ptr<StartGrace> grace;  // null: nobody waits for the first word of checks
  std::vector<std::shared_ptr<PerWorker<PeerStats>>> stats;  // by peer index
  std::shared_ptr<PerWorker<QueueStats>> queue_stats;        // null: nobody waits
  std::uint32_t max_tries = 1;
  std::shared_ptr<const upstream::Maintenance> maintenance;  // null: it serves
};

// An address to listen on with its servers.
struct ListenNode {
  config::Listen listen;
  VirtualHosts hosts;
  std::string port_text;  // "80"; empty for Unix sockets
  [[nodiscard]] bool speaks_http2(const ServerNode& server) const {
    return listen.http2 || server.root.config().request.http2;
  }
  [[nodiscard]] bool speaks_http2() const { return speaks_http2(hosts.default_server()); }
};

struct Runtime {
  std::uint64_t generation = 0;
  std::shared_ptr<const config::Model> model;
  std::vector<std::unique_ptr<ServerNode>> servers;  // by index in the model
  std::vector<std::shared_ptr<PerWorker<TrafficStats>>> server_stats;
  // Of locations, in the order written: `location` as it is written there.
  struct LocationCounters {
    const config::ServerConfig* server;
    std::string location;
    std::shared_ptr<PerWorker<LocationStats>> stats;
  };
  std::vector<LocationCounters> location_stats;
  std::vector<PoolNode> pools;  // by index in the model
  std::vector<std::unique_ptr<ListenNode>> listens;
  std::unordered_map<std::string, std::uint32_t> pool_by_name;
  std::vector<std::unique_ptr<StreamNode>> streams;  // by index in the model
  StreamListens stream_listens;
  std::unordered_map<std::string, std::uint32_t>
      stream_pool_by_name;                               // as the configuration has it
  std::vector<std::shared_ptr<const access::Geo>> geos;  // by index in the model
  std::vector<access::SplitClients> splits;
  content::Charsets charsets;
  std::shared_ptr<TraceExporter> traces;  // null: none are sent
  std::shared_ptr<const TraceCounts> trace_counts;
  std::vector<std::shared_ptr<Log>> logs;  // of locations: to be opened again with the others

  [[nodiscard]] const ListenNode* listen_of(const std::string& text) const {
    for (const auto& node : listens) {
      if (node->listen.text == text) return node.get();
    }
    return nullptr;
  }
  // The listener that has taken over what a removed one listened on: connections to `local` would
  // come to it now. Null: none.
  [[nodiscard]] const ListenNode* listen_covering(const IpAddress& local) const;
};

}  // namespace weir::proxy
