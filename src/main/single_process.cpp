#include "main/single_process.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "main/account.h"
#include "main/engine.h"
#include "main/renewal.h"
#include "main/state_file.h"

namespace weir::main {
namespace {

class SingleProcess {
 public:
  SingleProcess(Master::Parts parts, std::unique_ptr<Configurator::Prepared> first)
      : parts_(std::move(parts)), service_(parts_.start), pending_(std::move(first)) {}

  int run() {
    for (const int number : {SIGHUP, SIGUSR1, SIGTERM, SIGINT, SIGQUIT}) signals_.add(number);
    // There is no other process to which these could hand over.
    for (const int number : {SIGUSR2, SIGWINCH}) ::signal(number, SIG_IGN);
    const auto signals = own_signals();
    ::sigprocmask(SIG_UNBLOCK, &signals, nullptr);
    for (const auto& problem :
         set_limits(pending_->settings.process, pending_->settings.rlimit_nofile)) {
      parts_.report(LogLevel::alert, problem);
    }
    engine_.on_ended = [this] { io_.stop(); };
    load_state();
    wait_for_signal();
    apply();
    io_.run();
    parts_.configurator.close_listeners(false);
    pid_file_.remove();
    parts_.log.notice("exit");
    return status_;
  }

 private:
  void wait_for_signal() {
    signals_.async_wait([this](const boost::system::error_code& error, int number) {
      if (error) return;
      wait_for_signal();
      on_signal(number);
    });
  }

  void on_signal(int number) {
    switch (number) {
      case SIGHUP:
        return reload();
      case SIGUSR1:
        return reopen_logs();
      case SIGQUIT:
        renewal_timer_.cancel();
        service_.stopping();
        parts_.configurator.close_listeners(false);
        return engine_.drain();
      default:
        service_.stopping();
        return engine_.stop();
    }
  }

  void reload() {
    if (pending_ != nullptr) {
      reload_again_ = true;
      return;
    }
    auto& configurator = parts_.configurator;
    parts_.log.notice("reload: reading " + configurator.options().config_path);
    service_.reloading();
    std::string error;
    const auto report = [&](LogLevel level, const std::string& text) {
      if (level == LogLevel::emerg && error.empty()) error = text;
      if (level != LogLevel::notice) parts_.log.write(level, text);
    };
    const auto reading = configurator.read(report);
    if (reading != nullptr) pending_ = configurator.provide(*reading, Duration{0}, report);
    if (pending_ == nullptr) return reload_failed(error);
    const auto later = needs_restart(configurator.present()->settings, pending_->settings);
    if (!later.empty()) parts_.log.warn("changes with the next start only: " + later);
    apply();
  }

  void load_state() {
    const auto error = state_.load(pending_->settings.state_path);
    if (!error.empty()) {
      parts_.report(LogLevel::error, error + "; what operators had set is not in force");
    }
    engine_.on_keep = [this](const std::string& path, const std::string& text,
                             const Engine::Done& done) {
      done(parts_.configurator.keep(path, text, pending_.get()));
      const auto* present = parts_.configurator.present();
      if (present != nullptr) renewal_.adopt(present->bundle);
    };
    engine_.on_state = [this](const std::string& text, const Engine::Done& done) {
      done(state_.save(text));
    };
  }

  void move_state() {
    const auto error = state_.move_to(parts_.configurator.present()->settings.state_path);
    if (!error.empty()) parts_.log.write(LogLevel::alert, error);
  }

  void apply() {
    auto handover = Configurator::handover(*pending_, true);
    handover.state = state_.text();
    engine_.apply(std::move(handover), [this](const std::string& error) {
      if (!error.empty()) {
        refused(error);
      } else {
        commit();
      }
      if (std::exchange(reload_again_, false)) reload();
    });
  }

  void refused(const std::string& error) {
    const bool renewal = pending_->renewal;
    pending_.reset();
    if (renewal) {
      parts_.log.error("certificates that have changed are not in force: " + error +
                       "; tried again later");
      renewal_.failed(error, clock_.now());
      return engine_.set_certificate_problems(renewal_.problems());
    }
    if (parts_.configurator.present() == nullptr) {
      parts_.report(LogLevel::emerg, error);
      status_ = 1;
      return engine_.stop();
    }
    parts_.log.write(LogLevel::emerg, error);
    reload_failed(error);
  }

  // ---- certificates

  void look_later() {
    if (renewal_.next() == TimePoint::max()) {
      renewal_timer_.cancel();
      return;
    }
    renewal_timer_.expires_after(renewal_.next() - clock_.now());
    renewal_timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) look_at_certificates();
    });
  }

  void look_at_certificates() {
    auto& configurator = parts_.configurator;
    if (pending_ != nullptr) {
      renewal_.postpone(clock_.now());
      return look_later();
    }
    const auto found = renewal_.look(configurator.options(), clock_.now());
    look_later();
    if (!found) return;
    for (const auto& fault : found->faults) parts_.log.error("certificates: " + fault);
    engine_.set_certificate_problems(renewal_.problems());
    if (found->bundle == nullptr) return;
    pending_ = std::make_unique<Configurator::Prepared>(*configurator.present());
    pending_->bundle = found->bundle;
    pending_->renewal = true;
    renewed_ = found->renewed;
    apply();
  }

  void tell_of_renewal() {
    for (const auto& path : renewed_) {
      parts_.log.notice("certificates: \"" + path + "\" has changed; it is in force");
    }
  }

  void reload_failed(const std::string& why) {
    engine_.reload_failed(why);
    parts_.log.error("reload failed; the configuration in force stays as it is");
    service_.ready("serving; the last reload failed");
  }

  void commit() {
    const bool first = parts_.configurator.present() == nullptr;
    const bool renewal = std::exchange(pending_->renewal, false);
    parts_.configurator.commit(std::move(pending_));
    renewal_.watch(*parts_.configurator.present(), clock_.now());
    engine_.set_certificate_problems(renewal_.problems());
    look_later();
    if (renewal) return tell_of_renewal();
    const auto& settings = parts_.configurator.present()->settings;
    move_state();
    const auto error = pid_file_.move_to(settings.pid_path);
    const bool may_fail = settings.default_pid_path && !settings.daemon;
    if (!error.empty()) {
      parts_.report(may_fail || !first ? LogLevel::warn : LogLevel::emerg, "pid: " + error);
    }
    if (first && !error.empty() && !may_fail) {
      status_ = 1;
      return engine_.stop();
    }
    parts_.log.redirect_stderr();
    service_.ready("serving " + parts_.configurator.options().config_path);
    if (!first) return;
    parts_.log.notice(version());
    parts_.configurator.listeners().drop_unused();
    parts_.daemon.ready();
    tell_watchdog();
  }

  void reopen_logs() {
    engine_.reopen(parts_.configurator.reopen_logs(
        [this](LogLevel level, const std::string& text) { parts_.log.write(level, text); }));
    parts_.log.redirect_stderr();
    parts_.log.notice("logs reopened");
  }

  void tell_watchdog() {
    if (service_.watchdog().count() <= 0) return;
    engine_.ping([this] { service_.alive(); });
    watchdog_timer_.expires_after(service_.watchdog() / 3);
    watchdog_timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) tell_watchdog();
    });
  }

  Master::Parts parts_;
  ServiceManager service_;
  boost::asio::io_context io_{1};
  boost::asio::signal_set signals_{io_};
  boost::asio::steady_timer watchdog_timer_{io_};
  PidFile pid_file_;
  std::unique_ptr<Configurator::Prepared> pending_;
  Engine engine_{io_, parts_.configurator.options(), parts_.log, parts_.files};
  KeptState state_;  // what operators have set
  SystemClock clock_;
  Renewal renewal_;
  boost::asio::steady_timer renewal_timer_{io_};
  std::vector<std::string> renewed_;  // paths of certificates that pending_ has anew
  bool reload_again_ = false;
  int status_ = 0;
};

}  // namespace

int run_single_process(Master::Parts parts, std::unique_ptr<Configurator::Prepared> first) {
  return SingleProcess(std::move(parts), std::move(first)).run();
}

}  // namespace weir::main
