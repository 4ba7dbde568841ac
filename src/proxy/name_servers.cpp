#include "proxy/name_servers.h"

#include "net/random.h"

namespace weir::proxy {
namespace {

std::string key_of(const config::ResolverConfig& config) {
  std::string key;
  for (const auto& server : config.servers) key.append(server.text()).append(" ");
  if (config.valid) key.append(std::to_string(config.valid->count()));
  key.append(config.ipv4 ? " 4" : "").append(config.ipv6 ? " 6" : "");
  return key;
}

}  // namespace

net::Resolver& NameServers::get(const config::ResolverConfig& config) {
  auto& resolver = resolvers_[key_of(config)];
  if (resolver != nullptr) return *resolver;
  if (config.servers.empty()) {
    resolver = std::make_unique<net::Resolver>(loop_, net::SystemNames::Files{},
                                               net::system_random(), &log_);
  } else {
    net::Resolver::Options options;
    options.servers = config.servers;
    options.valid = config.valid.value_or(Duration{0});
    options.ipv4 = config.ipv4;
    options.ipv6 = config.ipv6;
    resolver =
        std::make_unique<net::Resolver>(loop_, std::move(options), net::system_random(), &log_);
  }
  return *resolver;
}

}  // namespace weir::proxy
