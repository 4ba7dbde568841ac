// Keeps the addresses of a host name up to date: asks again whenever an answer has run out.
//
// A failure changes nothing here: what to do with the last good addresses is the owner's decision.
// Belongs to the thread of its loop, as its resolver does, which must outlive it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "net/loop.h"
#include "net/resolver.h"
#include "net/task.h"

namespace weir::net {

class NameWatch {
 public:
  struct Timing {
    // Answers are asked for again when they run out, but no sooner and no later than this.
    Duration least{std::chrono::seconds{1}};
    Duration most{std::chrono::seconds{10}};
    Duration retry{std::chrono::seconds{2}};  // after a failure
  };
  struct Events {
    // The first addresses, and then any others: sorted, IPv4 first, without port.
    std::function<void(const std::vector<IpAddress>&)> changed;
    // Each failure. not_found says that the name has no addresses now.
    std::function<void(ResolveError)> failed;
  };
  // Begins at once: events may come before the constructor returns, and none after the destructor.
  // An event must not destroy the watch.
  NameWatch(Loop& loop, Resolver& resolver, std::string name, Timing timing, Events events);
  NameWatch(const NameWatch&) = delete;
  NameWatch& operator=(const NameWatch&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  // The last good ones; empty: there were none yet.
  [[nodiscard]] const std::vector<IpAddress>& addresses() const { return addresses_; }

 private:
  Task<void> run();
  Duration take(Resolved result);

  Loop& loop_;
  Resolver& resolver_;
  std::string name_;
  Timing timing_;
  Events events_;
  std::vector<IpAddress> addresses_;
  Waiter waiter_;
  Task<void> task_;  // the last member: it goes first
};

}  // namespace weir::net
