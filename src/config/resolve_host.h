// Names of hosts to addresses while a configuration is loaded, as nginx does for `listen` and
// others. Blocks; the thread that loads.
#pragma once

#include <string>
#include <vector>

#include "base/address.h"

namespace weir::config {

// In the order the system gives them, each once. Empty: `error` says why.
[[nodiscard]] std::vector<IpAddress> resolve_host(const std::string& host, std::string& error);

}  // namespace weir::config
