#include "net/name_watch.h"

#include <algorithm>
#include <utility>

namespace weir::net {
NameWatch::NameWatch(Loop& loop, Resolver& resolver, std::string name, Timing timing, Events events)
    : loop_(loop),
      resolver_(resolver),
      name_(std::move(name)),
      timing_(timing),
      events_(std::move(events)),
      waiter_(loop),
      task_(run()) {
  task_.start();
}

Task<void> NameWatch::run() {
  for (;;) {
    auto result = co_await resolver_.resolve(name_, waiter_, resolver_.deadline());
    if (result.error == ResolveError::cancelled) co_return;
    const auto wait = take(std::move(result));
    if (co_await waiter_.wait(loop_.now() + wait) == Wake::cancelled) co_return;
  }
}

// How long to wait for the next time.
Duration NameWatch::take(Resolved result) {
  if (!result.ok()) {
    events_.failed(result.error);
    return timing_.retry;
  }
  // Servers turn their answers as they like.
  auto& found = result.addresses;
  std::sort(found.begin(), found.end(), comes_before);
  found.erase(std::unique(found.begin(), found.end()), found.end());
  if (found != addresses_) {
    addresses_ = std::move(found);
    events_.changed(addresses_);
  }
  // Addresses that are the name itself are valid for ever, which no deadline can express.
  constexpr Duration day = std::chrono::hours{24};
  if (result.valid_until == TimePoint::max()) return std::min(timing_.most, day);
  return std::clamp(result.valid_until - loop_.now(), timing_.least, timing_.most);
}

}  // namespace weir::net
