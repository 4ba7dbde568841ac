// Makes a runtime of a model: resolves peers, builds pools and routes. Control thread. Touches
// nothing that is in use: the caller commits or discards.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "access/limit_conn.h"
#include "access/limit_req.h"
#include "base/siphash.h"
#include "config/model.h"
#include "discovery/static.h"
#include "proxy/location_tools.h"
#include "proxy/runtime.h"
#include "upstream/operator_state.h"
#include "upstream/peer_store.h"

namespace weir::proxy {

// Gives each its PeerSpec::sid, what `sticky` binds clients by: the route of the line, or as with
// nginx the MD5 sum of the address.
void name_peers(std::vector<upstream::PeerSpec>& specs);

class RuntimeBuilder {
 public:
  // `workers`: how many may serve what is built next.
  explicit RuntimeBuilder(std::size_t workers);
  void set_workers(std::size_t workers) { workers_ = workers; }
  // Where error logs of locations are opened; without it none are. It must outlive what is built.
  void set_log_files(const LogFiles& files) { log_files_ = &files; }

  // Weights and maintenance are taken from it; it must outlive the builder. Without it there are
  // none but those configured.
  void set_operators(const upstream::OperatorState& operators) { operators_ = &operators; }
  // Where peers of a registry come from; without it there are none.
  using MorePeers = std::function<std::vector<upstream::PeerSpec>(const config::UpstreamConfig&)>;
  void set_registry_peers(MorePeers peers) { registry_peers_ = std::move(peers); }

  struct Result {
    std::shared_ptr<const Runtime> runtime;
    std::vector<std::string> unresolved;  // a line for each name without an address
  };
  [[nodiscard]] Result build(std::shared_ptr<const config::Model> model,
                             const discovery::Resolver& resolver = discovery::ask_name,
                             TimePoint now = {});
  // The last runtime built is the one that serves from now on.
  void commit(TimePoint now) { peers_.commit(now); }
  void discard() { peers_.discard(); }
  // When it is to be built again, because a vanished address is to be forgotten; TimePoint::max():
  // it need not.
  [[nodiscard]] TimePoint next_forgotten() const { return places_.next_forgotten(); }

 private:
  void add_pools(Runtime& runtime, const discovery::Resolver& resolver, TimePoint now,
                 std::vector<std::string>& unresolved);
  void add_affinity(PoolNode& node, const config::UpstreamConfig& upstream);
  void add_servers(Runtime& runtime);
  void add_tables(Runtime& runtime);
  void add_traces(Runtime& runtime);
  void add_zones(RouteParts& parts);
  template <class T>
  std::shared_ptr<PerWorker<T>> counters(std::map<std::string, std::weak_ptr<PerWorker<T>>>& store,
                                         const std::string& key);

  std::size_t workers_;
  std::shared_ptr<TraceExporter> traces_;      // of the last runtime
  std::shared_ptr<TraceCounts> trace_counts_;  // of all of them
  std::uint64_t generation_ = 0;
  upstream::PeerStore peers_;
  discovery::Places places_;
  // Zones outlive reloads as long as name, size and key stay the same.
  std::map<std::string, std::weak_ptr<access::RequestZone>> request_zones_;
  std::map<std::string, std::weak_ptr<access::ConnectionZone>> connection_zones_;
  // Queues by upstream, sessions by zone: they outlive reloads, too.
  std::map<std::string, std::weak_ptr<PoolQueue>> queues_;
  std::map<std::string, std::weak_ptr<upstream::Sessions>> sessions_;
  const LogFiles* log_files_ = nullptr;
  const upstream::OperatorState* operators_ = nullptr;
  MorePeers registry_peers_;
  HashSeed seed_;  // of the zones' tables
  // Counters outlive reloads: whoever has the same name counts on.
  std::map<std::string, std::weak_ptr<PerWorker<TrafficStats>>> server_stats_;
  std::map<std::string, std::weak_ptr<PerWorker<StreamStats>>> stream_stats_;  // by address
  std::map<std::string, std::weak_ptr<PerWorker<LocationStats>>> location_stats_;
  std::map<std::string, std::weak_ptr<PerWorker<PeerStats>>> peer_stats_;
  std::map<std::string, std::weak_ptr<PerWorker<QueueStats>>> queue_stats_;
};

}  // namespace weir::proxy
