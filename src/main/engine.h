// The engine: the control thread's side of a running weir. Owns the workers, the listening sockets,
// the checks, the admin listener; loads and reloads. Control thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "admin/server.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/load.h"
#include "probe/prober.h"
#include "proxy/runtime_builder.h"
#include "proxy/worker.h"

namespace weir::main {

class Engine {
 public:
  struct Options {
    std::string config_path;
    config::LoadOptions load;
    std::string error_log;  // -e; used when the configuration names none
    std::string pid_path;   // of the configuration, else empty
  };
  Engine(Options options, std::shared_ptr<const config::Model> model, Log& log);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Binds, opens logs, starts the workers. On an error nothing is left started, and the text says
  // what is wrong.
  [[nodiscard]] std::string start();
  // Serves until a signal ends it. The exit status.
  int run();

 private:
  using Sockets = std::map<std::string, std::vector<int>>;  // by address; one a worker

  // Checks `model` against the machine and makes it the one in force; else says why not, and
  // nothing has changed.
  [[nodiscard]] std::string apply(std::shared_ptr<const config::Model> model);
  [[nodiscard]] std::string bind(const proxy::Runtime& runtime, Sockets& fresh) const;
  [[nodiscard]] std::string bind_admin(const config::Model& model, Sockets& fresh) const;
  void set_targets();
  [[nodiscard]] std::vector<Log::Target> log_targets(const config::Model& model) const;

  void wait_for_signal();
  void on_signal(int number);
  void reload();
  void begin_drain();
  void poll_drain();
  void stop();
  [[nodiscard]] std::string write_pid() const;

  Options options_;
  std::shared_ptr<const config::Model> model_;
  Log& log_;
  SystemClock clock_;
  boost::asio::io_context io_{1};
  boost::asio::signal_set signals_{io_};
  boost::asio::steady_timer drain_timer_{io_};
  std::vector<std::unique_ptr<proxy::Worker>> workers_;
  std::atomic<std::uint64_t> connection_ids_{0};
  std::unique_ptr<proxy::RuntimeBuilder> builder_;
  std::shared_ptr<const proxy::Runtime> runtime_;
  std::vector<std::string> listening_;  // addresses of the present runtime
  Sockets admin_sockets_;               // descriptors kept for the next reload
  std::unique_ptr<probe::Prober> prober_;
  std::unique_ptr<admin::Server> admin_;
  admin::Source::Reloads reloads_{};
  TimePoint drain_deadline_ = TimePoint::max();
  bool draining_ = false;
};

}  // namespace weir::main
