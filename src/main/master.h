// The master: keeps the listening sockets, the log files and the last good configuration, takes
// signals, and sees to it that one engine serves. One thread; serves nobody itself.
//
// An engine that ends without having been told to is replaced at once. A configuration becomes the
// one in force when the engine says that it serves it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/log_files.h"
#include "main/configurator.h"
#include "main/daemon.h"
#include "main/engine_child.h"
#include "main/pid_file.h"
#include "main/renewal.h"
#include "main/restart_pause.h"
#include "main/service_manager.h"
#include "main/start.h"
#include "main/state_file.h"

struct signalfd_siginfo;

namespace weir::main {

class Master {
 public:
  struct Parts {
    const Start& start;
    Configurator& configurator;
    LogFiles& files;
    Log& log;  // writes to `files`
    Daemon& daemon;
    bool background = false;           // it is a daemon, so nobody's terminal sends it SIGWINCH
    bool upgrade = false;              // started by the program that it is to replace
    Configurator::Report report = {};  // what is wrong before the logs are open
  };
  explicit Master(Parts parts);

  // Serves until a signal ends it. The exit status: 1 if `first` could not be served.
  [[nodiscard]] int run(std::unique_ptr<Configurator::Prepared> first);

 private:
  enum class Ending : std::uint8_t { none, graceful, fast };

  // ---- the loop (master.cpp)
  void turn();
  [[nodiscard]] int wait_ms() const;
  void read_signals();
  void on_signal(const signalfd_siginfo& info);
  void act();
  void finish();

  // ---- signals (master_signals.cpp)
  void end(Ending how);
  void stop_accepting();
  void reopen_logs();
  void begin_reload();
  void change_binary();
  void new_binary_ended();
  [[nodiscard]] std::vector<std::string> environment_of_new_binary() const;
  [[nodiscard]] bool others_have_sockets() const;

  // ---- the engine (master_engines.cpp)
  void start_engine();
  bool send_configuration(const Configurator::Prepared& prepared);
  void load_state();
  void save_state(EngineChild& engine, const std::string& text);
  void keep_file(EngineChild& engine, const std::string& text);
  void read_engines();
  void on_message(EngineChild& engine, const Message& message);
  void on_applied(EngineChild& engine);
  void on_refused(EngineChild& engine, const std::string& why);
  void commit();
  void commit_renewal();
  void started();
  void reload_failed(const std::string& why);
  void reap();
  void engine_ended(pid_t pid);
  void kill_late_engines();
  void look_at_watchdog();
  void look_at_certificates();
  void tell_of_certificates();
  [[nodiscard]] EngineChild* current();

  const Start& start_;
  Configurator& configurator_;
  LogFiles& files_;
  Log& log_;
  Daemon& daemon_;
  const bool background_;
  const bool upgrade_;
  Configurator::Report report_;
  ServiceManager service_;
  SystemClock clock_;
  PidFile pid_file_;
  UniqueFd signals_;
  std::vector<std::unique_ptr<EngineChild>> engines_;  // the last one may be the current one
  std::unique_ptr<Configurator::Prepared> pending_;    // sent to the engine, not answered yet
  std::string last_error_;                             // of the last reload
  KeptState state_;                                    // what operators have set
  Renewal renewal_;
  std::vector<std::string> renewed_;  // paths of certificates that pending_ has anew
  RestartPause restart_pause_;
  TimePoint start_engine_at_ = TimePoint::max();
  TimePoint kill_at_ = TimePoint::max();
  TimePoint watchdog_at_ = TimePoint::max();
  pid_t new_binary_ = 0;  // a binary upgrade is under way
  bool accepting_ = true;
  bool reload_wanted_ = false;
  bool signalled_ = false;
  Ending ending_ = Ending::none;
  bool ended_ = false;
  int status_ = 0;
};

}  // namespace weir::main
