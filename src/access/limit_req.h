// nginx's `limit_req`: how many requests a second a key may make, by a leaky bucket.
//
// A RequestZone is shared by all workers and outlives configurations: a reload keeps the zone whose
// name, size and key expression are the same, and with it what it knows of the keys. Rate, burst
// and delay belong to the configuration.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string_view>

#include "access/key_table.h"
#include "base/clock.h"
#include "base/siphash.h"
#include "base/spin_lock.h"

namespace weir::access {

// Thousandths of a request. All arithmetic is in these and in milliseconds, as nginx's is, so that
// the same requests are refused and delayed.
using Millirequests = std::int64_t;

class RequestZone;

struct RequestLimit {
  // `nodelay`: no excess is delayed.
  static constexpr Millirequests kNoDelay = std::numeric_limits<std::int64_t>::max();

  std::shared_ptr<RequestZone> zone;
  Millirequests rate = 0;   // a second; above 0. "10r/s" is 10000, "10r/m" is 166
  Millirequests burst = 0;  // more than this is refused
  Millirequests delay = 0;  // what exceeds this is delayed
};

enum class RequestVerdict : std::uint8_t {
  unlimited,  // no key: $limit_req_status is not set
  passed,
  delayed,   // to go on after `wait`
  rejected,  // to be answered with `limit_req_status`
};

struct RequestDecision {
  RequestVerdict verdict = RequestVerdict::unlimited;
  Duration wait{0};            // of delayed
  Millirequests excess = 0;    // for the log: "limiting requests, excess: 2.000 by zone ..."
  std::size_t limit = 0;       // which of the limits decided
  bool out_of_memory = false;  // rejected because the zone has no room for the key; an alert
};

// Checks a request against all limits of its location, counts it if none refuses it, and finds the
// longest delay. keys[i] is the value of the key of limits[i]: empty ones are not limited, longer
// ones than kMaxRequestKey neither (an error for the log). With `limit_req_dry_run` the request
// goes on whatever the decision; it is counted all the same. Any thread; `now` may lag a little
// behind that of another thread.
[[nodiscard]] RequestDecision limit_request(std::span<const RequestLimit> limits,
                                            std::span<const std::string_view> keys, TimePoint now);

inline constexpr std::size_t kMaxRequestKey = 65535;

// The value of $limit_req_status: "PASSED", "DELAYED_DRY_RUN", ...; empty for unlimited.
[[nodiscard]] std::string_view request_status(RequestVerdict verdict, bool dry_run);

class RequestZone {
 public:
  // `bytes`: its size in the configuration.
  RequestZone(std::size_t bytes, HashSeed seed);
  RequestZone(const RequestZone&) = delete;
  RequestZone& operator=(const RequestZone&) = delete;

  // How many keys it knows. Any thread.
  [[nodiscard]] std::size_t size();

 private:
  friend class RequestLimiter;

  struct State {
    std::int64_t last = 0;     // when it was last counted, in milliseconds
    Millirequests excess = 0;  // then
    std::uint32_t users = 0;   // requests that are between the check and the count: keep it
    bool counted = false;      // not yet: `last` and `excess` mean nothing
  };
  using Table = KeyTable<State>;

  SpinLock lock_;
  Table table_;
};

}  // namespace weir::access
