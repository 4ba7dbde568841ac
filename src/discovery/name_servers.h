// The resolvers of a loop: one for each `resolver` that the configuration has, and one that
// resolves as the system does. Those of a worker outlive reloads, with what they know. The loop's
// thread.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "base/log.h"
#include "config/resolver_config.h"
#include "net/loop.h"
#include "net/resolver.h"

namespace weir::discovery {

// "10.0.0.2:53 valid=10s ipv6=off": what tells one from another.
[[nodiscard]] std::string text_of(const config::ResolverConfig& config);

class NameServers {
 public:
  // `log` may be null.
  NameServers(net::Loop& loop, Log* log) : loop_(loop), log_(log) {}
  [[nodiscard]] net::Resolver& get(const config::ResolverConfig& config);

 private:
  net::Loop& loop_;
  Log* log_;
  std::unordered_map<std::string, std::unique_ptr<net::Resolver>> resolvers_;
};

}  // namespace weir::discovery
