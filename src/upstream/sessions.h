// The sessions of `sticky learn`: which peer each belongs to, by a digest of its ID. Shared by all
// workers under a lock of its own; outlives configurations, as long as its name and size stay.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/siphash.h"
#include "base/spin_lock.h"

namespace weir::upstream {

class Sessions {
 public:
  // `bytes`: its size in the configuration; 1 MB is good for 8,000 sessions. When it is full, the
  // session that was not used for the longest time makes room.
  Sessions(std::uint64_t bytes, HashSeed first, HashSeed second);

  // Puts what session `id` is bound to into `sid`; false: it is not known, or older than `timeout`.
  bool find(std::string_view id, Duration timeout, TimePoint now, std::string& sid);
  // A request of the session was served by the peer with this `sid`. `create`: a session that is
  // not known begins.
  void learn(std::string_view id, std::string_view sid, bool create, Duration timeout,
             TimePoint now);
  [[nodiscard]] std::size_t size();

 private:
  using Key = std::array<std::uint64_t, 2>;
  struct KeyHash {
    std::size_t operator()(const Key& key) const { return key[0]; }
  };
  struct Session {
    Key key;
    std::string sid;
    TimePoint used;
  };
  using Order = std::list<Session>;  // the one used last first

  [[nodiscard]] Key key_of(std::string_view id) const;
  void drop_old(Duration timeout, TimePoint now);
  void drop_last();

  HashSeed first_;
  HashSeed second_;
  std::size_t most_;
  SpinLock lock_;
  Order order_;
  std::unordered_map<Key, Order::iterator, KeyHash> by_key_;
};

}  // namespace weir::upstream
