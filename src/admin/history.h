// The last 15 minutes: what the counters said every 5 seconds, of weir, each pool and each peer.
// Kept for the dashboard's charts, its rates and percentiles. Control thread only; the Server owns
// it. Workers do not notice: it reads their counters as /metrics does.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "admin/source.h"
#include "admin/totals.h"
#include "base/clock.h"

namespace weir::admin {

// Counters at one moment.
struct Tally {
  TimePoint at{};
  std::uint64_t requests = 0, errors = 0, retries = 0;
  std::uint64_t bound = 0;  // by the client's address, a key or a cookie
  std::uint64_t ejections = 0;
  HistogramTotals latency;

  void add(const Tally& other);
  // How much each counter has grown since; nothing where it has begun anew.
  [[nodiscard]] Tally grown_since(const Tally& before) const;
};

// The counters of things that come and go, added up so that the sum only grows: each adds what it
// has counted since it was last seen. One that is new, or back, adds nothing the first time: its
// counters tell of another time.
template <class Key>
class GrowingSum {
 public:
  // All that are there now.
  void take(std::map<Key, Tally, std::less<>> present, TimePoint now) {
    for (const auto& [key, tally] : present) total_.add(since_last(key, tally));
    total_.at = now;
    last_ = std::move(present);
  }
  // What has come since `take`.
  template <class Name>
  [[nodiscard]] Tally since_last(const Name& key, const Tally& now) const {
    const auto found = last_.find(key);
    return now.grown_since(found != last_.end() ? found->second : now);
  }
  [[nodiscard]] const Tally& total() const { return total_; }

 private:
  Tally total_;
  std::map<Key, Tally, std::less<>> last_;
};

[[nodiscard]] Tally tally_peer(const proxy::PoolNode& node, std::size_t index, TimePoint now);

// Milliseconds below which a share of the observations between two moments lies, as well as
// buckets can tell; nullopt: there was none. Beyond the last bound it is that bound.
[[nodiscard]] std::optional<double> percentile(const HistogramTotals& before,
                                               const HistogramTotals& now, double share);

// Of a few seconds: rates of about 10, the rest of about 30.
struct Pace {
  double per_second = 0;
  std::optional<double> errors;         // share of the requests
  std::optional<double> p50, p95, p99;  // ms
};

// One line of a chart. NaN: nothing is known, or there was no request.
struct Point {
  float per_second, errors_per_second, p50, p99, in_flight;
};
struct PeerPoint {
  float per_second, errors_per_second;
  std::uint64_t retries, bound;  // since the start
  std::uint32_t ejections;
  std::uint8_t state;  // a PeerState
};

class History {
 public:
  static constexpr Duration kEvery{5000};
  static constexpr std::size_t kPoints = 180;
  static constexpr std::size_t kMostPeers = 2000;  // what is beyond has no history of its own

  struct Track {
    std::deque<Tally> recent;  // the last 30 s
    [[nodiscard]] Pace pace(const Tally& now) const;
  };
  struct Peer : Track {
    std::vector<PeerPoint> points;  // the newest last; kPoints at most
  };
  struct Pool : Track {
    std::vector<Point> points;
    std::map<std::string, Peer, std::less<>> peers;  // by address
    GrowingSum<std::string> sum;                     // of all peers, by address
  };

  // To be called every kEvery.
  void sample(const Source& source);

  [[nodiscard]] const Pool* pool(std::string_view name) const;
  [[nodiscard]] const Peer* peer(std::string_view pool, std::string_view address) const;
  [[nodiscard]] const Pool& weir() const { return weir_; }
  // All requests of clients, up to now.
  [[nodiscard]] Tally tally_weir(const proxy::Runtime& runtime, TimePoint now) const;
  [[nodiscard]] WallTime last_at() const { return last_at_; }

 private:
  void sample_pool(const Source& source, const proxy::PoolNode& node, TimePoint now);

  using ServerStats = std::shared_ptr<const proxy::PerWorker<proxy::TrafficStats>>;

  Pool weir_;  // without peers
  GrowingSum<ServerStats> servers_;
  std::map<std::string, Pool, std::less<>> pools_;
  std::size_t peers_ = 0;  // with a history
  WallTime last_at_{};
};

// /history: the lines of weir and of all pools; of one pool, those of its peers, too.
[[nodiscard]] std::string history_json(const Source& source, std::string_view pool);

}  // namespace weir::admin
