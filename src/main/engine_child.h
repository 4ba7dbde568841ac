// An engine as its master sees it: a child process and the channel to it. The master's thread only.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "base/clock.h"
#include "main/channel.h"
#include "main/engine_process.h"

namespace weir::main {

class EngineChild {
 public:
  // Forks; in the child it does not return. Null: `error` says why.
  [[nodiscard]] static std::unique_ptr<EngineChild> fork(const EngineSetup& setup, TimePoint now,
                                                         std::string& error);

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] Channel& channel() { return channel_; }
  [[nodiscard]] TimePoint started() const { return started_; }

  bool send(const Handover& handover, Kind kind);
  void signal(int number) const;

  bool serves = false;   // it has answered `applied`
  bool leaving = false;  // it was told to end
  bool pinged = false;   // and has not answered

 private:
  EngineChild(pid_t pid, Channel channel, TimePoint started)
      : pid_(pid), channel_(std::move(channel)), started_(started) {}

  pid_t pid_;
  Channel channel_;
  TimePoint started_;
};

}  // namespace weir::main
