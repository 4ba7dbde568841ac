// What operators have set at run time, by the names of pools and peers: it outlives reloads,
// restarts, and peers that come and go. A value; control thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "upstream/peer.h"
#include "upstream/pool.h"

namespace weir::upstream {

// A pool that answers 503 in place of its peers.
struct Maintenance {
  std::chrono::seconds retry_after{60};      // the Retry-After field; 0: none
  std::vector<Cidr> allow;                   // clients whose requests go to the peers as ever
  std::vector<std::string> api = {"/api/"};  // a path with one of these in it gets JSON
  std::string message = "The service is under maintenance.";
  std::int64_t since = 0;  // Unix time in seconds
};

struct PeerSetting {
  Hold hold = Hold::none;               // or draining, or down
  std::optional<std::uint32_t> weight;  // in place of the configured one
  std::int64_t since = 0;               // Unix time in seconds of the last change
  [[nodiscard]] bool empty() const { return hold == Hold::none && !weight; }
};

struct PoolSetting {
  std::string only;        // the peer that alone is to serve; empty: all are
  std::string first;       // the peer that the others wait for; empty: they do not wait
  std::int64_t since = 0;  // of only and first
  std::shared_ptr<const Maintenance> maintenance;  // null: none
  std::map<std::string, PeerSetting> peers;        // by name as configured, or by address
  [[nodiscard]] bool empty() const {
    return only.empty() && first.empty() && maintenance == nullptr && peers.empty();
  }
};

// Whether `name` stands for the peer: as configured, or by its address.
[[nodiscard]] bool is_named(const PeerSpec& spec, std::string_view name);

class OperatorState {
 public:
  [[nodiscard]] const std::map<std::string, PoolSetting>& pools() const { return pools_; }
  [[nodiscard]] bool empty() const { return pools_.empty(); }
  // Null: nothing is set.
  [[nodiscard]] const PoolSetting* find(std::string_view pool) const;
  // The same, made if there is none; tidy() takes out what is empty again.
  [[nodiscard]] PoolSetting& at(const std::string& pool) { return pools_[pool]; }
  void tidy();

  // What is set for a peer itself, maybe nothing: by its address, else by its name.
  [[nodiscard]] static PeerSetting setting_of(const PoolSetting& pool, const PeerSpec& spec);

  // The weights that are in force, put into the specs of a pool that is to be built.
  void set_weights(const std::string& pool, std::vector<PeerSpec>& specs) const;
  // Peer::hold of all peers of a pool. `only` and `first` are in force while they name one of its
  // peers: else nobody would serve.
  void set_holds(Pool& pool, TimePoint now) const;
  [[nodiscard]] std::shared_ptr<const Maintenance> maintenance(const std::string& pool) const;

 private:
  std::map<std::string, PoolSetting> pools_;
};

}  // namespace weir::upstream
