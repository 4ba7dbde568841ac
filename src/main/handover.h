// What the engine needs to serve a configuration: its text, the sockets that listen, the log files.
// The master sends it as a file in memory that holds the texts, and the descriptors beside it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log_files.h"
#include "main/bundle.h"
#include "net/socket.h"

namespace weir::main {

struct Handover {
  std::shared_ptr<const Bundle> bundle;
  std::vector<net::ListenSocket> sockets;  // those of one address in a row
  LogFiles::Map logs;                      // "stderr" among them
  std::string state;                       // what operators have set, for an engine that starts
  bool renewal = false;                    // only certificates are others than before
};

// The texts; the descriptors that belong to them are those of `sockets`, then of `logs`.
[[nodiscard]] std::string encode(const Handover& handover);
// The opposite; nullopt if `text` and `fds` do not make one. Takes over `fds`.
[[nodiscard]] std::optional<Handover> decode(std::string_view text, std::vector<UniqueFd> fds);

}  // namespace weir::main
