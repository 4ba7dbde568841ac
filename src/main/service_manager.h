// What systemd is told of a service with Type=notify, as sd_notify(3) does it, and what it wants
// back as a watchdog. Does nothing where nobody asked. The master's thread only.
#pragma once

#include <string>

#include "base/clock.h"
#include "main/start.h"

namespace weir::main {

class ServiceManager {
 public:
  // Takes NOTIFY_SOCKET and WATCHDOG_* out of the environment of this process.
  explicit ServiceManager(const Start& start);

  void ready(const std::string& status) const;
  void reloading() const;
  void status(const std::string& text) const;
  void stopping() const;
  // From now on `pid` is the main process: a binary upgrade.
  void main_process(pid_t pid) const;
  void alive() const;
  // How often alive() is to be called at the latest; 0: never.
  [[nodiscard]] Duration watchdog() const { return watchdog_; }

 private:
  void send(const std::string& lines) const;

  std::string socket_;  // a path, or '@' and an abstract name
  Duration watchdog_{0};
};

}  // namespace weir::main
