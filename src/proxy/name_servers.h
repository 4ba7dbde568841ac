// The resolvers of a worker: one for each `resolver` that the configuration has, and one that
// resolves as the system does. They outlive reloads, with what they know. One worker.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "base/log.h"
#include "config/request_config.h"
#include "net/loop.h"
#include "net/resolver.h"

namespace weir::proxy {

class NameServers {
 public:
  NameServers(net::Loop& loop, Log& log) : loop_(loop), log_(log) {}
  [[nodiscard]] net::Resolver& get(const config::ResolverConfig& config);

 private:
  net::Loop& loop_;
  Log& log_;
  std::unordered_map<std::string, std::unique_ptr<net::Resolver>> resolvers_;
};

}  // namespace weir::proxy
