// The engine: the control thread's side of what serves. Owns the workers, the checks, the admin
// listener; takes over configurations with the sockets and files they need. Control thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "acme/manager.h"
#include "admin/server.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/log_files.h"
#include "discovery/names.h"
#include "discovery/registries.h"
#include "main/configurator.h"
#include "main/expiry_warnings.h"
#include "main/handover.h"
#include "main/settings.h"
#include "ocsp/asker.h"
#include "probe/prober.h"
#include "proxy/runtime_builder.h"
#include "proxy/worker.h"

namespace weir::main {

class Engine {
 public:
  // `log` writes to `files`; all must outlive the engine.
  Engine(boost::asio::io_context& io, Configurator::Options options, Log& log, LogFiles& files);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Makes the configuration the one in force, and calls `done` when all workers serve it: with
  // nothing, or with what is wrong; then nothing has changed. One at a time. The first one starts
  // the workers. Standard error is left to the caller.
  using Done = std::function<void(const std::string& error)>;
  void apply(Handover handover, Done done);
  // A reload has come to nothing before apply(): for those who ask.
  void reload_failed(const std::string& why);
  // Certificates that have changed on disk and are not good, by path, with what is wrong.
  void set_certificate_problems(std::map<std::string, std::string> problems) {
    certificate_problems_ = std::move(problems);
  }
  // Verbs come from this socket from now on, or from none: another process takes them.
  void take_operators(Handover handover);
  // The log files were opened again.
  void reopen(LogFiles::Map files);
  // Lets requests and tunnels end, as long as worker_shutdown_timeout allows, then stops.
  void drain();
  // Ends all at once.
  void stop();
  // Calls `answer` when every worker has run.
  void ping(std::function<void()> answer);
  // Called when all has ended.
  std::function<void()> on_ended;
  // Keeps what operators have set for the next engine, and tells `done` what is wrong, or nothing.
  std::function<void(const std::string& text, Done done)> on_state;
  // Writes a file of ACME, and tells `done` the same.
  std::function<void(const std::string& path, const std::string& text, Done done)> on_keep;

 private:
  using SocketsByWorker = std::vector<proxy::Worker::Sockets>;

  void set_up();
  [[nodiscard]] admin::Source admin_source();
  [[nodiscard]] proxy::RuntimeBuilder::Result build(std::shared_ptr<const config::Model> model);
  void take_over(Handover& handover, const config::LoadResult& loaded, Done done);
  // Peers have come, gone or moved.
  void peers_changed(const std::string& what);
  void watch_names();
  void rebuild(std::function<void()> done);
  void forget_later();
  void set_workers(std::size_t count);
  [[nodiscard]] SocketsByWorker spread(Handover& handover, const config::Model& model) const;
  [[nodiscard]] std::shared_ptr<const proxy::Runtime> watched(
      std::shared_ptr<const proxy::Runtime> runtime);
  void switch_workers(SocketsByWorker sockets, Done done);
  void set_admin_listeners(Handover& handover);
  void set_targets();
  void look_at_expiry();
  void keep(const std::string& path, const std::string& text);

  // ---- what operators set (engine_operators.cpp)
  // Empty, or what is wrong with it.
  [[nodiscard]] std::string restore_state(const std::string& text, const config::Model& model);
  void set_holds();
  void operators_changed(admin::Effect effect, Done done);
  void save_state(Done done);
  void first_may_be_ready(const probe::Target& target);
  void end_first(const std::string& pool, const std::string& why);
  void end_first_without_checks();
  void cut_later(std::uint64_t generation, Duration after);
  void retire_idle_workers();
  void poll_drain();
  // Runs `then` on the control thread when all workers have called what it returns.
  [[nodiscard]] std::function<void()> when_all(std::function<void()> then);

  boost::asio::io_context& io_;
  Configurator::Options options_;
  Log& log_;
  LogFiles& files_;
  SystemClock clock_;
  discovery::Names names_;
  discovery::Registries registries_;
  boost::asio::steady_timer drain_timer_{io_};
  boost::asio::steady_timer retire_timer_{io_};
  boost::asio::steady_timer forget_timer_{io_};
  std::shared_ptr<tls::Challenges> challenges_ = std::make_shared<tls::Challenges>();
  std::shared_ptr<const config::Model> model_;
  std::vector<std::shared_ptr<proxy::WorkerStats>> stats_;  // by index, of ended workers, too
  mutable std::mutex stats_mutex_;  // guards the growth of stats_: workers read all of it
  std::vector<std::unique_ptr<proxy::Worker>> workers_;
  std::size_t active_ = 0;  // the first ones accept; the others let their connections end
  std::size_t started_ = 0;
  std::atomic<std::uint64_t> connection_ids_{0};
  upstream::OperatorState operators_;
  bool restored_ = false;  // operators_ has what was set before the start
  proxy::RuntimeBuilder builder_{0};
  std::shared_ptr<const proxy::Runtime> runtime_;
  std::unique_ptr<probe::Prober> prober_;
  std::unique_ptr<admin::Server> admin_;
  admin::Source::Reloads reloads_{};
  std::map<std::string, std::string> certificate_problems_;
  boost::asio::steady_timer expiry_timer_{io_};
  ExpiryWarnings expiry_;
  ocsp::Asker asker_;
  acme::Manager acme_;
  acme::Journals journals_;  // as they were handed over
  TimePoint drain_deadline_ = TimePoint::max();
  bool applying_ = false;                       // workers are being told of a configuration
  bool rebuild_waiting_ = false;                // names or weights have changed meanwhile
  std::vector<std::function<void()>> rebuilt_;  // who waits for the next rebuild
  bool draining_ = false;
  bool stopped_ = false;
};

}  // namespace weir::main
