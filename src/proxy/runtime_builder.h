// Makes a runtime of a model: resolves peers, builds pools and routes. Control thread. Touches
// nothing that is in use: the caller commits or discards.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "config/model.h"
#include "proxy/runtime.h"
#include "upstream/peer_store.h"

namespace weir::proxy {

class RuntimeBuilder {
 public:
  explicit RuntimeBuilder(std::size_t workers) : workers_(workers) {}

  struct Result {
    std::shared_ptr<const Runtime> runtime;  // null: `error` says why
    std::string error;
  };
  [[nodiscard]] Result build(std::shared_ptr<const config::Model> model);
  // The last runtime built is the one that serves from now on.
  void commit() { peers_.commit(); }
  void discard() { peers_.discard(); }

 private:
  [[nodiscard]] std::string add_pools(Runtime& runtime);
  void add_servers(Runtime& runtime);
  template <class T>
  std::shared_ptr<PerWorker<T>> counters(std::map<std::string, std::weak_ptr<PerWorker<T>>>& store,
                                         const std::string& key);

  std::size_t workers_;
  std::uint64_t generation_ = 0;
  upstream::PeerStore peers_;
  // Counters outlive reloads: whoever has the same name counts on.
  std::map<std::string, std::weak_ptr<PerWorker<TrafficStats>>> server_stats_;
  std::map<std::string, std::weak_ptr<PerWorker<PeerStats>>> peer_stats_;
};

}  // namespace weir::proxy
