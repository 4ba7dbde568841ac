#include "main/master.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "main/process_title.h"
#include "net/socket.h"

namespace weir::main {
namespace {

constexpr Duration kLongestWait = std::chrono::hours{1};

struct SignalName {
  int number;
  const char* name;
};
constexpr std::array<SignalName, 8> kNames = {{{SIGHUP, "SIGHUP"},
                                               {SIGUSR1, "SIGUSR1"},
                                               {SIGUSR2, "SIGUSR2"},
                                               {SIGWINCH, "SIGWINCH"},
                                               {SIGQUIT, "SIGQUIT"},
                                               {SIGTERM, "SIGTERM"},
                                               {SIGINT, "SIGINT"},
                                               {SIGCHLD, "SIGCHLD"}}};

std::string title(const Program& program, const Start& start) {
  auto text = program.name + ": master process";
  for (const auto& argument : start.arguments) text += " " + argument;
  return text;
}

}  // namespace

Master::Master(Parts parts)
    : start_(parts.start),
      configurator_(parts.configurator),
      files_(parts.files),
      log_(parts.log),
      daemon_(parts.daemon),
      background_(parts.background),
      upgrade_(parts.upgrade),
      report_(std::move(parts.report)),
      service_(parts.start) {}

int Master::run(std::unique_ptr<Configurator::Prepared> first) {
  const auto signals = own_signals();
  signals_.reset(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_) {
    report_(LogLevel::emerg, "signalfd() failed " + net::errno_text(errno));
    return 1;
  }
  set_process_title(title(configurator_.options().program, start_));
  files_.exchange(first->logs);
  if (const auto error = log_.configure(first->error_logs); !error.empty()) {
    report_(LogLevel::emerg, error);
    return 1;
  }
  pending_ = std::move(first);
  load_state();
  start_engine();
  while (!ended_) turn();
  return status_;
}

void Master::turn() {
  std::vector<pollfd> waits = {{signals_.get(), POLLIN, 0}};
  for (const auto& engine : engines_) {
    if (engine->channel().fd() >= 0) waits.push_back({engine->channel().fd(), POLLIN, 0});
  }
  ::poll(waits.data(), waits.size(), wait_ms());
  read_signals();
  read_engines();
  if (signalled_) reap();
  act();
  kill_late_engines();
  look_at_watchdog();
  look_at_certificates();
  if (ending_ != Ending::none && engines_.empty()) finish();
}

int Master::wait_ms() const {
  const auto next = std::min({start_engine_at_, kill_at_, watchdog_at_, renewal_.next()});
  const auto now = clock_.now();
  if (next == TimePoint::max()) return -1;
  // One more: a wait that ends too early would only come again.
  const auto left = std::chrono::duration_cast<Duration>(next - now) + Duration{1};
  return static_cast<int>(std::clamp(left, Duration{0}, kLongestWait).count());
}

void Master::read_signals() {
  signalled_ = false;
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    on_signal(info);
  }
}

void Master::on_signal(const signalfd_siginfo& info) {
  const auto number = static_cast<int>(info.ssi_signo);
  if (number == SIGCHLD) {
    signalled_ = true;
    return;
  }
  const auto* known = std::find_if(kNames.begin(), kNames.end(),
                                   [&](const auto& name) { return name.number == number; });
  const auto told = [&](const char* what) {
    auto text = "signal " + std::to_string(number) + " (" + known->name + ") received";
    if (info.ssi_pid != 0) text += " from " + std::to_string(info.ssi_pid);
    log_.notice(text + ", " + what);
  };
  switch (number) {
    case SIGHUP:
      told("reconfiguring");
      reload_wanted_ = true;
      return;
    case SIGUSR1:
      told("reopening logs");
      return reopen_logs();
    case SIGUSR2:
      told("changing binary");
      return change_binary();
    case SIGWINCH:
      // A terminal says so when its size changes: it concerns no daemon.
      if (!background_) return;
      told("stop accepting connections");
      return stop_accepting();
    case SIGQUIT:
      told("shutting down");
      return end(Ending::graceful);
    default:
      told("exiting");
      return end(Ending::fast);
  }
}

void Master::act() {
  if (ending_ != Ending::none) return;
  const bool idle = pending_ == nullptr && (current() == nullptr || current()->serves);
  if (reload_wanted_ && idle) {
    reload_wanted_ = false;
    begin_reload();
  }
  if (start_engine_at_ <= clock_.now()) start_engine();
}

void Master::finish() {
  configurator_.close_listeners(others_have_sockets());
  pid_file_.remove();
  if (new_binary_ != 0) service_.main_process(new_binary_);
  log_.notice("exit");
  ended_ = true;
}

}  // namespace weir::main
