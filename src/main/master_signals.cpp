// What users tell the master by signals.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "main/master.h"
#include "net/socket.h"

namespace weir::main {
namespace {

constexpr Duration kKillAfter = std::chrono::seconds{5};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

}  // namespace

// A program that goes on with the sockets when this one ends.
bool Master::others_have_sockets() const {
  return new_binary_ != 0 || (upgrade_ && ::getppid() == start_.parent);
}

void Master::end(Ending how) {
  if (ending_ >= how) return;
  ending_ = how;
  service_.stopping();
  pending_.reset();
  start_engine_at_ = TimePoint::max();
  for (auto& engine : engines_) {
    engine->leaving = true;
    engine->signal(how == Ending::fast ? SIGTERM : SIGQUIT);
  }
  if (how == Ending::fast) {
    kill_at_ = clock_.now() + kKillAfter;
  } else {
    configurator_.close_listeners(others_have_sockets());
  }
}

void Master::stop_accepting() {
  accepting_ = false;
  start_engine_at_ = TimePoint::max();
  for (auto& engine : engines_) {
    engine->leaving = true;
    engine->signal(SIGQUIT);
  }
}

void Master::reopen_logs() {
  if (configurator_.present() == nullptr) return;
  Handover logs;
  logs.bundle = std::make_shared<Bundle>();
  logs.logs = configurator_.reopen_logs(
      [this](LogLevel level, const std::string& text) { log_.write(level, text); });
  files_.exchange(logs.logs);
  log_.reopen();
  log_.redirect_stderr();
  for (auto& engine : engines_) engine->send(logs, Kind::reopen);
  log_.notice("logs reopened");
}

void Master::begin_reload() {
  // As with nginx: while a new binary runs, this takes the old one back into service as it was.
  if (new_binary_ != 0) {
    accepting_ = true;
    if (current() == nullptr) start_engine();
    return;
  }
  log_.notice("reload: reading " + configurator_.options().config_path);
  service_.reloading();
  std::string error;
  const auto report = [&](LogLevel level, const std::string& text) {
    if (level == LogLevel::emerg && error.empty()) error = text;
    if (level != LogLevel::notice) log_.write(level, text);
  };
  const auto reading = configurator_.read(report);
  if (reading != nullptr) pending_ = configurator_.provide(*reading, Duration{0}, report);
  if (pending_ == nullptr) return reload_failed(error);
  const auto later = needs_restart(configurator_.present()->settings, pending_->settings);
  if (!later.empty()) log_.warn("changes with the next start only: " + later);
  if (current() == nullptr) {
    accepting_ = true;
    start_engine();
  } else if (!send_configuration(*pending_)) {
    reload_failed("the engine does not take it: " + net::errno_text(errno));
  }
}

std::vector<std::string> Master::environment_of_new_binary() const {
  const auto* present = configurator_.present();
  auto variables = kept_environment(start_.environment, present->settings.process);
  std::string list = "NGINX=";
  for (const auto* group : configurator_.listeners().all_groups()) {
    for (const auto& socket : group->sockets) list += std::to_string(socket.fd->get()) + ";";
  }
  variables.push_back(std::move(list));
  for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC"}) {
    const auto value = start_.variable(name);
    if (!value.empty()) variables.push_back(std::string(name) + "=" + value);
  }
  return variables;
}

void Master::change_binary() {
  if (new_binary_ != 0 || others_have_sockets() || ending_ != Ending::none ||
      configurator_.present() == nullptr) {
    return log_.write(LogLevel::crit,
                      "the binary is not changed: end the old or the new one of the last change "
                      "first");
  }
  if (const auto error = pid_file_.step_aside(); !error.empty()) {
    return log_.write(LogLevel::alert, "the binary is not changed: " + error);
  }
  auto arguments = start_.arguments;
  auto variables = environment_of_new_binary();
  const auto argv = pointers(arguments);
  const auto envp = pointers(variables);
  const pid_t pid = ::fork();
  if (pid == 0) {
    for (const auto* group : configurator_.listeners().all_groups()) {
      for (const auto& socket : group->sockets) ::fcntl(socket.fd->get(), F_SETFD, 0);
    }
    ::signal(SIGPIPE, SIG_DFL);
    ::sigprocmask(SIG_SETMASK, &start_.signal_mask, nullptr);
    ::execve(start_.executable.c_str(), argv.data(), envp.data());
    log_.write(LogLevel::alert,
               "execve() \"" + start_.executable + "\" failed " + net::errno_text(errno));
    ::_exit(2);
  }
  if (pid > 0) {
    new_binary_ = pid;
    // It has the operators' socket, too: verbs are its affair.
    Handover none;
    none.bundle = std::make_shared<Bundle>();
    if (auto* engine = current()) engine->send(none, Kind::operators);
    return log_.notice("start new binary process " + std::to_string(pid));
  }
  log_.write(LogLevel::alert, "fork() failed " + net::errno_text(errno));
  new_binary_ended();
}

void Master::new_binary_ended() {
  new_binary_ = 0;
  if (const auto error = pid_file_.come_back(); !error.empty()) {
    log_.write(LogLevel::alert, error);
  }
  auto* engine = current();
  if (engine != nullptr && ending_ == Ending::none) {
    engine->send(Configurator::operators_handover(*configurator_.present()), Kind::operators);
  }
  if (accepting_ || ending_ != Ending::none) return;
  accepting_ = true;
  if (current() == nullptr) start_engine();
}

}  // namespace weir::main
