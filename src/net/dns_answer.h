// What looking up a name came to, and what the cache holds of it. Values; one worker's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "net/dns_message.h"

namespace weir::net {

// Why a name has no addresses. The numbers are those that nginx logs: RCODEs (RFC 1035), and
// errnos for what goes wrong on this side.
enum class ResolveError : std::uint8_t {
  none = 0,
  format = 1,
  server_failure = 2,
  not_found = 3,  // no such name, or one without records of the kind
  unimplemented = 4,
  refused = 5,
  too_many = 11,    // as many look-ups as are allowed are in progress
  timed_out = 110,  // the caller's deadline has passed
  cancelled = 125,  // the caller's waiter, or the resolver is gone
  // Not an end: something else that the waiter is interested in has happened. Ask again to go on
  // waiting.
  interrupted = 254,
};

// "Host not found", as nginx says it.
[[nodiscard]] std::string_view to_text(ResolveError error);
// "NAME could not be resolved (3: Host not found)".
[[nodiscard]] std::string describe(std::string_view name, ResolveError error);

// Immutable once made. Without error: addresses, or services, or an alias to go on with.
struct Answer {
  ResolveError error = ResolveError::none;
  std::vector<IpAddress> v4;
  std::vector<IpAddress> v6;
  std::vector<dns::Service> services;  // the lowest priority number first
  std::optional<std::string> alias;
  TimePoint valid_until{};
};
using AnswerPtr = std::shared_ptr<const Answer>;

}  // namespace weir::net
