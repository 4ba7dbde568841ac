// The process of an engine: gives up what it does not need, then does what the master says until it
// says to end, or is gone.
#pragma once

#include <string>

#include "main/account.h"
#include "main/channel.h"
#include "main/configurator.h"
#include "main/settings.h"
#include "main/start.h"

namespace weir::main {

struct EngineSetup {
  const Start& start;
  const Configurator::Options& options;
  const Settings& settings;
};

// The body of a process that the master has forked; `channel` leads to it. The exit status. Closes
// all descriptors but the standard ones and the channel.
[[nodiscard]] int run_engine(const EngineSetup& setup, Channel channel);

}  // namespace weir::main
