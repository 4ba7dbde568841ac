// Reads a node registry for one upstream: at the start, at each event, at each poll. Keeps the last
// good list when Redis fails, and knows since when it is old. Control thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "config/upstream_config.h"
#include "discovery/slots.h"
#include "registry/link.h"

namespace weir::discovery {

struct RegistryStatus {
  std::string url;     // without its password
  std::string nodes;   // config::RegistryConfig::nodes_text()
  std::string server;  // it is, or was last, connected to
  bool fresh = false;  // the last reading succeeded
  std::optional<WallTime> stale_since;
  std::string error;         // of the last failure, while it is stale
  bool has_list = false;     // there was a good reading
  bool doubted = false;      // most nodes seem to be gone; not believed yet
  std::string events_error;  // why changes are seen at polls only; empty: they are told of at once
  std::uint64_t reads = 0;
  std::uint64_t failures = 0;
  std::size_t serving = 0;
};

class RegistryReader {
 public:
  struct Parts {
    boost::asio::io_context& io;
    const Clock& clock;
    Log& log;
    registry::Random random;
    std::function<void()> changed;  // peers are others; not called from within start()
    std::function<void()> settled;  // a first try has come to an end, good or bad
  };
  // `slots`: what is known already of the same nodes.
  RegistryReader(Parts parts, std::string upstream, config::RegistryConfig config, Slots slots);
  ~RegistryReader() { stop(); }
  RegistryReader(const RegistryReader&) = delete;
  RegistryReader& operator=(const RegistryReader&) = delete;

  void start();
  void stop();
  // Its configuration is in force: from now on the log is told, of the present state first.
  void set_in_force();
  [[nodiscard]] const config::RegistryConfig& config() const { return config_; }
  [[nodiscard]] const Slots& slots() const { return slots_; }
  [[nodiscard]] bool settled() const { return settled_; }
  [[nodiscard]] RegistryStatus status() const;

 private:
  void read();
  void on_answers(const registry::Reply& reply);
  void on_list(const Reading& reading);
  void failed(const std::string& error);
  void events_failed(const std::string& error);
  void poll_later();
  void note_slots(const Reading& reading);
  void note_doubt();
  void settle();
  void log(LogLevel level, const std::string& text);
  void log_stale();
  void log_events();
  void log_list();
  [[nodiscard]] std::string called() const;

  Parts parts_;
  std::string upstream_;
  config::RegistryConfig config_;
  std::string commands_;
  Slots slots_;
  std::unique_ptr<registry::Link> link_;
  std::unique_ptr<registry::Link> events_;  // null: nothing is published
  boost::asio::steady_timer timer_;
  std::shared_ptr<bool> running_;  // gone when it is stopped
  bool reading_ = false;
  bool again_ = false;  // something was published while it was reading
  bool settled_ = false;
  bool in_force_ = false;
  bool doubted_ = false;
  std::array<std::string, registry::kSlots> slot_errors_;  // told of already
  std::optional<WallTime> stale_since_;
  std::string error_;
  std::string events_error_;
  std::uint64_t reads_ = 0;
  std::uint64_t failures_ = 0;
};

}  // namespace weir::discovery
