// What to ask Redis for to learn of the nodes of a `registry`, in weir's layout or a foreign one,
// and what the answers mean. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "config/upstream_config.h"
#include "discovery/slots.h"
#include "registry/resp.h"

namespace weir::discovery {

// One command for each slot, formatted: they go out together.
[[nodiscard]] std::string read_commands(const config::RegistryConfig& config);
// The answers to them, in order. Not empty: the reading as a whole is no good, and why.
[[nodiscard]] std::string read_answers(const config::RegistryConfig& config,
                                       const std::vector<registry::RespValue>& answers,
                                       Reading& out);

}  // namespace weir::discovery
