// How to run a configuration, with the defaults of the program filled in: what is left of a model
// once the engine has it. A value.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "config/model.h"
#include "main/account.h"
#include "main/program.h"

namespace weir::main {

struct Settings {
  bool daemon = true;
  bool master_process = true;
  std::string pid_path;
  bool default_pid_path = false;      // nobody named it
  std::string control_path;           // of the operators' Unix socket; empty: there is none
  bool default_control_path = false;  // nobody named it
  std::string state_path;             // of the file of what operators set
  config::Position admin_position;
  Account account;
  config::ProcessConfig process;
  std::uint32_t rlimit_nofile = 0;
  std::uint32_t workers = 1;
  Duration certificate_watch{0};  // 0: files of certificates are not looked at
};

// The operators' Unix socket as something to listen on. There must be one.
[[nodiscard]] config::Listen control_listen(const Settings& settings);

// The account is found apart.
[[nodiscard]] Settings settings_of(const config::Model& model, const Program& program);

// What changes from `before` to `now` only with another process: names of directives, or nothing.
[[nodiscard]] std::string needs_restart(const Settings& before, const Settings& now);

// Where errors go. `error_log`: -e, or empty; a configuration that names no file has that, else
// the program's default in nginx's dialect, standard error in weir's.
[[nodiscard]] std::vector<Log::Target> error_logs_of(const config::Model& model,
                                                     const Program& program,
                                                     const std::string& error_log);

}  // namespace weir::main
