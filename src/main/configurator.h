// Reads configurations, checks them against the machine and gets what they need: listening sockets
// and log files, which it keeps. The master's; in a program without one, the control thread's.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/log_files.h"
#include "config/load.h"
#include "main/bundle.h"
#include "main/handover.h"
#include "main/listeners.h"
#include "main/program.h"
#include "main/settings.h"

namespace weir::main {

class Configurator {
 public:
  struct Options {
    Program program;
    std::string config_path;
    config::LoadOptions load;
    std::string error_log;  // -e: a path, "stderr" or empty
  };
  // What is wrong, or worth knowing: level and text.
  using Report = std::function<void(LogLevel, const std::string&)>;

  // Read and found to be without mistakes; nothing was changed for it yet.
  struct Reading {
    std::shared_ptr<const Bundle> bundle;
    std::shared_ptr<const config::Model> model;
    std::vector<config::StapleUse> staples;
    Settings settings;
  };
  // Ready to serve, with all that it needs.
  struct Prepared {
    std::shared_ptr<const Bundle> bundle;
    Settings settings;
    std::vector<Log::Target> error_logs;
    std::vector<ListenGroup> groups;
    LogFiles::Map logs;
    std::vector<std::pair<std::string, std::string>> pairs;    // paths of certificates, and of keys
    std::vector<std::pair<std::string, std::string>> staples;  // of certificates, and of answers
    std::vector<std::string> kept;  // paths of files that the engine may have written
    std::vector<std::string> own;   // of these, those that nothing is renewed by
    bool renewal = false;           // only certificates are others than in what was in force before
  };

  explicit Configurator(Options options);

  // nullptr: `report` was told why.
  [[nodiscard]] std::unique_ptr<Reading> read(const Report& report) const;
  // Opens sockets and files for a reading: files anew, as nginx does (they may have been moved).
  // `patience`: for addresses in use.
  [[nodiscard]] std::unique_ptr<Prepared> provide(const Reading& reading, Duration patience,
                                                  const Report& report);
  // Whether provide() would succeed, as far as that can be told while others have the addresses.
  [[nodiscard]] bool could_provide(const Reading& reading, const Report& report) const;
  // The configuration in force from now on.
  void commit(std::unique_ptr<Prepared> prepared);
  // Null before the first commit.
  [[nodiscard]] const Prepared* present() const { return present_.get(); }

  // Descriptors of its own for an engine; `exclusive` false: another program has the sockets, too.
  [[nodiscard]] static Handover handover(const Prepared& prepared, bool exclusive);

  // The operators' socket alone, for an engine that has given it up.
  [[nodiscard]] static Handover operators_handover(const Prepared& prepared);

  // Writes a file that the configuration in force keeps. Empty, or what is wrong. One that nothing
  // is renewed by is part of that configuration from now on, and of `pending`, if there is one.
  [[nodiscard]] std::string keep(const std::string& path, const std::string& text,
                                 Prepared* pending);
  [[nodiscard]] bool is_own(const std::string& path) const;

  // Opens the log files in force again; those that cannot be opened stay. The new map.
  LogFiles::Map reopen_logs(const Report& report);
  // For a process that leaves its terminal: unless `prepared` logs to standard error, nothing
  // keeps that open any longer.
  void forget_stderr(Prepared& prepared);

  // Nothing listens any more; see Listeners::close().
  void close_listeners(bool keep_files);
  [[nodiscard]] Listeners& listeners() { return listeners_; }
  [[nodiscard]] const Options& options() const { return options_; }

 private:
  // `spare_defaults`: it does not matter if files that nobody named cannot be opened.
  [[nodiscard]] bool open_logs(const Reading& reading, const std::vector<Log::Target>& error_logs,
                               bool spare_defaults, LogFiles::Map& out, const Report& report) const;

  Options options_;
  Listeners listeners_;
  std::shared_ptr<const UniqueFd> stderr_;
  std::unique_ptr<Prepared> present_;
};

}  // namespace weir::main
