// A server of stream made ready to serve; part of the runtime. Shared as const by all workers.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "config/model.h"
#include "proxy/location_tools.h"
#include "proxy/stats.h"

namespace weir::proxy {

struct StreamNode {
  StreamNode(const config::StreamServer& config_, RouteParts& parts)
      : config(&config_), tools(*config_.root, parts) {}
  [[nodiscard]] const config::RequestConfig& request() const { return config->root->request; }

  const config::StreamServer* config;
  LocationTools tools;
};

// An address with its server.
struct StreamListen {
  const config::Listen* listen = nullptr;  // in the model
  const StreamNode* node = nullptr;
  std::shared_ptr<PerWorker<StreamStats>> stats;
};

// By config::Listen::text.
using StreamListens = std::map<std::string, StreamListen, std::less<>>;

}  // namespace weir::proxy
