// nginx's `limit_conn`: how many requests of a key may be in progress at once.
//
// A ConnectionZone is shared by all workers and outlives configurations, as long as its name, size
// and key expression stay the same; leases keep it. The limit belongs to the configuration.
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "access/key_table.h"
#include "base/siphash.h"
#include "base/spin_lock.h"

namespace weir::access {

class ConnectionZone {
 public:
  // `bytes`: its size in the configuration.
  ConnectionZone(std::size_t bytes, HashSeed seed);
  ConnectionZone(const ConnectionZone&) = delete;
  ConnectionZone& operator=(const ConnectionZone&) = delete;

  // How many keys have requests in progress. Any thread.
  [[nodiscard]] std::size_t size();

 private:
  friend class ConnectionLease;

  struct State {
    std::uint32_t requests = 0;
  };
  using Table = KeyTable<State>;

  SpinLock lock_;
  Table table_;
};

// A place at one limit, given back when it is destroyed. Belongs to the request; any thread may
// destroy it.
class ConnectionLease {
 public:
  enum class Outcome : std::uint8_t { taken, limit_reached, out_of_memory };

  ConnectionLease() = default;
  ConnectionLease(ConnectionLease&& other) noexcept;
  ConnectionLease& operator=(ConnectionLease&& other) noexcept;
  ~ConnectionLease() { release(); }

  // Takes a place for `key` if fewer than `most` are taken, and the first in any case.
  Outcome take(std::shared_ptr<ConnectionZone> zone, std::string_view key, std::uint32_t most);
  void release();

 private:
  using Table = ConnectionZone::Table;
  std::shared_ptr<ConnectionZone> zone_;
  Table::Node* node_ = nullptr;
};

struct ConnectionLimit {
  std::shared_ptr<ConnectionZone> zone;
  std::uint32_t most = 0;  // 1 to 65535
};

enum class ConnectionVerdict : std::uint8_t {
  unlimited,  // no key: $limit_conn_status is not set
  passed,
  rejected,  // to be answered with `limit_conn_status`
};

struct ConnectionDecision {
  ConnectionVerdict verdict = ConnectionVerdict::unlimited;
  std::size_t limit = 0;       // which of the limits rejected
  bool out_of_memory = false;  // because the zone has no room for the key
};

using ConnectionLeases = boost::container::small_vector<ConnectionLease, 2>;

inline constexpr std::size_t kMaxConnectionKey = 255;

// Takes a place at all limits of a location, or at none. keys[i] is the value of the key of
// limits[i]: empty ones are not limited, longer ones than kMaxConnectionKey neither (an error for
// the log). `leases` is to be kept until the request has ended. With `limit_conn_dry_run` a
// rejected request goes on without leases. Any thread.
[[nodiscard]] ConnectionDecision limit_connections(std::span<const ConnectionLimit> limits,
                                                   std::span<const std::string_view> keys,
                                                   ConnectionLeases& leases);

// The value of $limit_conn_status: "PASSED", "REJECTED_DRY_RUN", ...; empty for unlimited.
[[nodiscard]] std::string_view connection_status(ConnectionVerdict verdict, bool dry_run);

}  // namespace weir::access
