// What a process finds when it starts, saved before anything changes it. Made by main(), constant.
#pragma once

#include <signal.h>

#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace weir::main {

struct Start {
  std::vector<std::string> arguments;    // argv
  std::vector<std::string> environment;  // NAME=VALUE
  std::string executable;                // argv[0] as a path that stays right, links unresolved
  sigset_t signal_mask{};
  pid_t parent = 0;

  // A variable of the environment; empty: it is not set.
  [[nodiscard]] std::string variable(const std::string& name) const;
};

// Call it first: opens the descriptors 0 to 2 that are closed on /dev/null, so that nothing else
// takes their numbers.
void open_standard_descriptors();

// Also blocks the signals that a running weir takes, so that none that comes early is lost, and
// gives all signals their usual meaning, whatever was inherited.
[[nodiscard]] Start save_start(int argc, const char* const* argv);

// The signals that weir takes: those that save_start() blocks.
[[nodiscard]] sigset_t own_signals();

// Listening sockets handed over by a program that executes this one: in NGINX="3;4;" (a binary
// upgrade, of nginx or weir) or by systemd's LISTEN_FDS. All that was found is taken out of the
// environment of this process.
struct Inherited {
  std::vector<UniqueFd> from_predecessor;  // which runs on for now
  std::vector<UniqueFd> from_manager;      // which keeps them
  [[nodiscard]] bool upgrade() const { return !from_predecessor.empty(); }
};
[[nodiscard]] Inherited take_inherited(const Start& start);

}  // namespace weir::main
