// The master and its engine.
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>

#include "main/master.h"
#include "net/socket.h"

namespace weir::main {
namespace {
constexpr int kMessagesATurn = 64;
}  // namespace

EngineChild* Master::current() {
  if (engines_.empty() || engines_.back()->leaving) return nullptr;
  return engines_.back().get();
}

void Master::start_engine() {
  start_engine_at_ = TimePoint::max();
  const auto& prepared = pending_ != nullptr ? *pending_ : *configurator_.present();
  const EngineSetup setup{start_, configurator_.options(), prepared.settings};
  std::string error;
  auto engine = EngineChild::fork(setup, clock_.now(), error);
  if (engine == nullptr) {
    log_.write(LogLevel::alert, "cannot start a worker process: " + error);
    if (configurator_.present() == nullptr) {
      report_(LogLevel::emerg, error);
      status_ = 1;
      return end(Ending::fast);
    }
    if (pending_ != nullptr) reload_failed(error);
    start_engine_at_ = clock_.now() + restart_pause_.ended(Duration{0});
    return;
  }
  log_.notice("start worker process " + std::to_string(engine->pid()));
  engines_.push_back(std::move(engine));
  // If this fails the engine ends: its end is what counts.
  send_configuration(prepared);
}

bool Master::send_configuration(const Configurator::Prepared& prepared) {
  auto handover = Configurator::handover(prepared, !others_have_sockets());
  handover.state = state_.text();
  return engines_.back()->send(handover, Kind::configure);
}

void Master::load_state() {
  const auto error = state_.load(pending_->settings.state_path);
  if (!error.empty()) log_.error(error + "; what operators had set is not in force");
}

void Master::save_state(EngineChild& engine, const std::string& text) {
  engine.channel().send(Kind::state_saved, state_.save(text));
}

void Master::keep_file(EngineChild& engine, const std::string& text) {
  const auto end = std::min(text.find('\n'), text.size());
  const auto path = text.substr(0, end);
  const auto error =
      configurator_.keep(path, text.substr(std::min(end + 1, text.size())), pending_.get());
  if (configurator_.present() != nullptr) renewal_.adopt(configurator_.present()->bundle);
  if (error.empty()) {
    log_.write(configurator_.is_own(path) ? LogLevel::info : LogLevel::notice,
               "\"" + path + "\" is written");
  }
  engine.channel().send(Kind::kept, error);
}

void Master::read_engines() {
  for (auto& engine : engines_) {
    Message message;
    for (int i = 0; i < kMessagesATurn && engine->channel().fd() >= 0; ++i) {
      const auto got = engine->channel().receive(message);
      if (got == Channel::Got::nothing) break;
      if (got == Channel::Got::closed) {
        engine->channel().close();  // its end will follow
      } else {
        on_message(*engine, message);
      }
    }
  }
}

void Master::on_message(EngineChild& engine, const Message& message) {
  if (message.kind == Kind::pong) {
    engine.pinged = false;
    service_.alive();
  } else if (engine.leaving) {
    return;
  } else if (message.kind == Kind::state) {
    save_state(engine, message.text);
  } else if (message.kind == Kind::keep) {
    keep_file(engine, message.text);
  } else if (message.kind == Kind::applied) {
    on_applied(engine);
  } else if (message.kind == Kind::refused) {
    on_refused(engine, message.text);
  }
}

void Master::on_applied(EngineChild& engine) {
  const bool again = !engine.serves && pending_ == nullptr;
  engine.serves = true;
  if (!again) commit();
  tell_of_certificates();
  if (!again) return;
  // A fresh engine knows nothing of what its predecessor was told.
  if (!last_error_.empty()) engine.channel().send(Kind::reload_failed, last_error_);
}

void Master::commit() {
  const bool first = configurator_.present() == nullptr;
  if (pending_->renewal) return commit_renewal();
  const auto& settings = pending_->settings;
  const auto pid_path = settings.pid_path;
  const bool may_fail = settings.default_pid_path && !settings.daemon;
  configurator_.commit(std::move(pending_));
  const auto& present = *configurator_.present();
  renewal_.watch(present, clock_.now());
  files_.exchange(present.logs);
  auto error = log_.configure(present.error_logs);
  if (!error.empty()) log_.write(LogLevel::alert, error);
  last_error_.clear();
  error = state_.move_to(settings.state_path);
  if (!error.empty()) log_.write(LogLevel::alert, error);
  error = first || new_binary_ == 0 ? pid_file_.move_to(pid_path) : std::string();
  if (!error.empty()) {
    if (!first) {
      log_.write(LogLevel::alert, "pid: " + error);
    } else {
      report_(may_fail ? LogLevel::warn : LogLevel::emerg, "pid: " + error);
      if (!may_fail) status_ = 1;
    }
  }
  if (status_ != 0) return end(Ending::fast);
  if (first) return started();
  log_.redirect_stderr();
  service_.ready("serving " + configurator_.options().config_path);
}

void Master::commit_renewal() {
  pending_->renewal = false;
  configurator_.commit(std::move(pending_));
  renewal_.watch(*configurator_.present(), clock_.now());
  for (const auto& path : renewed_) {
    log_.notice("certificates: \"" + path + "\" has changed; it is in force");
  }
}

void Master::started() {
  const auto& options = configurator_.options();
  const auto workers = configurator_.present()->settings.workers;
  log_.notice(version());
  log_.notice("weir " WEIR_VERSION " serves " + options.config_path + " with " +
              std::to_string(workers) + (workers == 1 ? " worker" : " workers"));
  for (const auto& text : configurator_.listeners().drop_unused()) {
    log_.warn("nothing listens on the inherited socket " + text + "; it is closed");
  }
  service_.ready("serving " + options.config_path);
  if (service_.watchdog().count() > 0) watchdog_at_ = clock_.now();
  daemon_.ready();
  log_.redirect_stderr();
}

void Master::on_refused(EngineChild& engine, const std::string& why) {
  if (configurator_.present() == nullptr) {
    report_(LogLevel::emerg, why);
    status_ = 1;
    pending_.reset();
    return end(Ending::fast);
  }
  if (pending_ != nullptr) {
    log_.write(LogLevel::emerg, why);
    return reload_failed(why);
  }
  log_.write(LogLevel::alert,
             "worker process " + std::to_string(engine.pid()) + " cannot serve: " + why);
}

void Master::reload_failed(const std::string& why) {
  const bool renewal = pending_ != nullptr && pending_->renewal;
  pending_.reset();
  if (renewal) {
    log_.error("certificates that have changed are not in force: " + why + "; tried again later");
    renewal_.failed(why, clock_.now());
    return tell_of_certificates();
  }
  last_error_ = why;
  log_.error("reload failed; the configuration in force stays as it is");
  service_.ready("serving; the last reload failed");
  if (auto* engine = current()) engine->channel().send(Kind::reload_failed, why);
}

void Master::reap() {
  for (;;) {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, WNOHANG);
    if (pid <= 0) return;
    const auto who =
        (pid == new_binary_ ? "new binary process " : "worker process ") + std::to_string(pid);
    if (WIFSIGNALED(status)) {
      log_.write(LogLevel::alert, who + " exited on signal " + std::to_string(WTERMSIG(status)) +
                                      (WCOREDUMP(status) ? " (core dumped)" : ""));
    } else {
      log_.notice(who + " exited with code " + std::to_string(WEXITSTATUS(status)));
    }
    if (pid == new_binary_) {
      new_binary_ended();
    } else {
      engine_ended(pid);
    }
  }
}

void Master::engine_ended(pid_t pid) {
  const auto found = std::find_if(engines_.begin(), engines_.end(),
                                  [&](const auto& engine) { return engine->pid() == pid; });
  if (found == engines_.end()) return;
  const bool wanted = (*found)->leaving;
  const auto ran = clock_.now() - (*found)->started();
  engines_.erase(found);
  if (wanted || ending_ != Ending::none) return;
  if (configurator_.present() == nullptr) {
    report_(LogLevel::emerg, "the worker process ended before it served");
    status_ = 1;
    pending_.reset();
    return end(Ending::fast);
  }
  if (pending_ != nullptr) reload_failed("the worker process ended");
  const auto wait = restart_pause_.ended(std::chrono::duration_cast<Duration>(ran));
  if (wait.count() > 0) {
    log_.write(LogLevel::alert, "worker processes end soon after their start, " +
                                    std::to_string(restart_pause_.failures()) +
                                    " in a row; the next one starts in " +
                                    std::to_string(wait.count()) + " ms");
  }
  start_engine_at_ = clock_.now() + wait;
}

void Master::kill_late_engines() {
  if (clock_.now() < kill_at_) return;
  kill_at_ = TimePoint::max();
  for (const auto& engine : engines_) {
    log_.write(LogLevel::alert,
               "worker process " + std::to_string(engine->pid()) + " does not end; it is killed");
    engine->signal(SIGKILL);
  }
}

void Master::look_at_watchdog() {
  if (clock_.now() < watchdog_at_) return;
  watchdog_at_ = clock_.now() + service_.watchdog() / 3;
  auto* engine = current();
  if (engine == nullptr || !engine->serves || pending_ != nullptr) return service_.alive();
  if (!engine->pinged) engine->pinged = engine->channel().send(Kind::ping);
}

// Between reloads, and while this program alone decides what is served.
void Master::look_at_certificates() {
  if (clock_.now() < renewal_.next() || configurator_.present() == nullptr) return;
  const auto* engine = current();
  const bool idle = pending_ == nullptr && engine != nullptr && engine->serves && !reload_wanted_;
  if (!idle || new_binary_ != 0 || ending_ != Ending::none) {
    return renewal_.postpone(clock_.now());
  }
  auto found = renewal_.look(configurator_.options(), clock_.now());
  if (!found) return;
  for (const auto& fault : found->faults) log_.error("certificates: " + fault);
  if (found->told) tell_of_certificates();
  if (found->bundle == nullptr) return;
  pending_ = std::make_unique<Configurator::Prepared>(*configurator_.present());
  pending_->bundle = found->bundle;
  pending_->renewal = true;
  renewed_ = std::move(found->renewed);
  if (!send_configuration(*pending_)) {
    reload_failed("the engine does not take it: " + net::errno_text(errno));
  }
}

void Master::tell_of_certificates() {
  auto* engine = current();
  if (engine != nullptr) {
    engine->channel().send(Kind::certificates, to_text(renewal_.problems()));
  }
}

}  // namespace weir::main
