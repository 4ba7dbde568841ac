#include "discovery/name_servers.h"

#include "net/random.h"

namespace weir::discovery {

std::string text_of(const config::ResolverConfig& config) {
  std::string text;
  for (const auto& server : config.servers) text += (text.empty() ? "" : " ") + server.text();
  if (config.valid) text += " valid=" + std::to_string(config.valid->count()) + "ms";
  return text + (config.ipv4 ? "" : " ipv4=off") + (config.ipv6 ? "" : " ipv6=off");
}

net::Resolver& NameServers::get(const config::ResolverConfig& config) {
  auto& resolver = resolvers_[text_of(config)];
  if (resolver != nullptr) return *resolver;
  if (config.servers.empty()) {
    resolver = std::make_unique<net::Resolver>(loop_, net::SystemNames::Files{},
                                               net::system_random(), log_);
  } else {
    net::Resolver::Options options;
    options.servers = config.servers;
    options.valid = config.valid.value_or(Duration{0});
    options.ipv4 = config.ipv4;
    options.ipv6 = config.ipv6;
    resolver =
        std::make_unique<net::Resolver>(loop_, std::move(options), net::system_random(), log_);
  }
  return *resolver;
}

}  // namespace weir::discovery
