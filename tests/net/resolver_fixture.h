// A resolver in virtual time, calls that wait for it, and sequences instead of randomness.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/dns_server.h"
#include "net/resolver.h"

namespace weir::net::test {

using std::chrono::milliseconds;
using std::chrono::seconds;

// "10.0.0.1 ::1", or the error as nginx logs it.
inline std::string say(const Resolved& result) {
  if (!result.ok()) return describe("x", result.error);
  std::string out;
  for (const auto& each : result.addresses) {
    if (!out.empty()) out += " ";
    out += each.host_text();
  }
  return out;
}

// Somebody who waits for a name, or has stopped to; gives up when it goes.
class Call {
 public:
  Call(Loop& loop, Resolver& resolver, std::string name, TimePoint deadline)
      : waiter(loop), task_(run(resolver, std::move(name), deadline)) {
    task_.start();
  }
  Waiter waiter;
  Resolved result{};
  bool done = false;

 private:
  Task<void> run(Resolver& resolver, std::string name, TimePoint deadline) {
    result = co_await resolver.resolve(name, waiter, deadline);
    done = true;
  }
  Task<void> task_;
};
using CallPtr = std::unique_ptr<Call>;

struct ResolverFixture : VirtualTime {
  Resolver::Options options;
  std::uint64_t seed = 1;

  std::unique_ptr<Resolver> make(const std::vector<const DnsServer*>& servers) {
    options.servers.clear();
    for (const auto* server : servers) options.servers.push_back(server->where());
    return std::make_unique<Resolver>(loop, options, random());
  }
  // Numbers that repeat from run to run.
  Random random() {
    return [this] {
      seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
      return seed >> 33;
    };
  }
  CallPtr start(Resolver& resolver, std::string name, Duration timeout = seconds{30}) {
    return std::make_unique<Call>(loop, resolver, std::move(name), loop.now() + timeout);
  }
  // What `name` comes to, without time passing.
  Task<std::string> ask(Resolver& resolver, std::string name) {
    const auto call = start(resolver, std::move(name));
    for (int i = 0; i < 10 && !call->done; ++i) co_await settle();
    co_return call->done ? say(call->result) : "still waiting";
  }
};

}  // namespace weir::net::test
