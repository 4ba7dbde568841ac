// Whom the engine runs as, and its change from root to that: identity, limits, environment. Used by
// one thread, before there are others.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "config/model.h"

namespace weir::main {

struct Account {
  bool change = false;  // false: the process stays who it is
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
};

// The account that `model` wants. Without a word about it: `default_user` if this process is root,
// else nobody else. Returns what is wrong ("file:line:col: user: ...") or nothing; `warning` says
// what has no effect.
[[nodiscard]] std::string find_account(const config::Model& model, const std::string& default_user,
                                       Account& out, std::string& warning);

// What worker_rlimit_nofile, worker_rlimit_core and worker_priority ask for. Without a word of the
// configuration, as many descriptors as the system lets us have. Returns what went wrong.
[[nodiscard]] std::vector<std::string> set_limits(const config::ProcessConfig& process,
                                                  std::uint32_t rlimit_nofile);

// Becomes `account` for good, without any capability (but root stays root). Returns what went
// wrong.
[[nodiscard]] std::string become(const Account& account);

// The environment as `env` has it: TZ and what is named; `before` is that of the start.
[[nodiscard]] std::vector<std::string> kept_environment(const std::vector<std::string>& before,
                                                        const config::ProcessConfig& config);

}  // namespace weir::main
