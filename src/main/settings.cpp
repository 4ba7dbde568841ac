#include "main/settings.h"

#include "proxy/log_target.h"

namespace weir::main {

namespace {

// What belongs to the process of a pid file: "/run/weir.pid", ".sock" give "/run/weir.sock".
std::string beside(std::string pid_path, const char* suffix) {
  if (pid_path.ends_with(".pid")) pid_path.resize(pid_path.size() - 4);
  return pid_path + suffix;
}

}  // namespace

config::Listen control_listen(const Settings& settings) {
  config::Listen listen;
  listen.endpoint.unix_path = settings.control_path;
  listen.text = listen.endpoint.text();
  listen.mode = 0600;
  listen.position = settings.admin_position;
  return listen;
}

Settings settings_of(const config::Model& model, const Program& program) {
  Settings settings;
  settings.daemon = model.process.daemon.value_or(model.dialect == config::Dialect::nginx);
  settings.master_process = model.process.master_process;
  settings.default_pid_path = model.pid_path.empty();
  settings.pid_path = settings.default_pid_path ? program.pid_path : model.pid_path;
  const auto admin = model.admin.value_or(config::AdminConfig{});
  settings.default_control_path = admin.control.empty();
  if (admin.has_control) {
    settings.control_path =
        settings.default_control_path ? beside(settings.pid_path, ".sock") : admin.control;
  }
  settings.state_path =
      admin.state_file.empty() ? beside(settings.pid_path, ".state") : admin.state_file;
  settings.admin_position = admin.position;
  settings.process = model.process;
  settings.rlimit_nofile = model.rlimit_nofile;
  settings.workers = model.workers;
  settings.certificate_watch = model.certificate_watch;
  return settings;
}

std::string needs_restart(const Settings& before, const Settings& now) {
  std::string names;
  const auto compare = [&](bool same, const char* name) {
    if (!same) names += (names.empty() ? "" : ", ") + std::string(name);
  };
  compare(before.daemon == now.daemon, "daemon");
  compare(before.master_process == now.master_process, "master_process");
  compare(before.account.uid == now.account.uid && before.account.gid == now.account.gid, "user");
  const auto& a = before.process;
  const auto& b = now.process;
  compare(a.environment == b.environment, "env");
  compare(a.working_directory == b.working_directory, "working_directory");
  compare(a.priority == b.priority, "worker_priority");
  compare(a.rlimit_core == b.rlimit_core, "worker_rlimit_core");
  compare(before.rlimit_nofile == now.rlimit_nofile, "worker_rlimit_nofile");
  return names;
}

std::vector<Log::Target> error_logs_of(const config::Model& model, const Program& program,
                                       const std::string& error_log) {
  std::vector<Log::Target> targets;
  for (const auto& log : model.error_logs) {
    targets.push_back(proxy::log_target(log));
  }
  if (!targets.empty()) return targets;
  const bool nginx = model.dialect == config::Dialect::nginx;
  const auto& path = !error_log.empty() ? error_log : nginx ? program.error_log_path : "stderr";
  targets.push_back({path, nginx ? LogLevel::error : LogLevel::notice, {}});
  return targets;
}

}  // namespace weir::main
