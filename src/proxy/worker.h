// A worker: a thread with its loop, its listeners, its sessions and its memory. Nothing in it is
// touched by another thread, but for stats(), which are read, and post() of its loop.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/log.h"
#include "net/loop.h"
#include "proxy/access_log.h"
#include "proxy/idle_connections.h"
#include "proxy/runtime.h"
#include "proxy/stats.h"

namespace weir::proxy {

class Acceptor;
class Exchange;
class Session;
class Worker;

// A runtime as one worker sees it: shared structure, and this worker's connections to the peers.
// Pinned by exchanges with a plain count: it never leaves its thread.
class WorkerRuntime {
 public:
  WorkerRuntime(std::shared_ptr<const Runtime> runtime, net::Loop& loop);
  [[nodiscard]] const Runtime& get() const { return *runtime_; }
  [[nodiscard]] IdleConnections& idle(std::uint32_t pool) { return *idle_[pool]; }
  // The pool of a literal address that a proxy_pass with variables came to; made on first use, a
  // bounded number of them. Null: not an address, or too many.
  struct Dynamic {
    PoolNode node;
    std::unique_ptr<IdleConnections> idle;
  };
  [[nodiscard]] Dynamic* dynamic(std::string_view authority, std::uint32_t worker);
  bool drop_oldest_idle();
  // Closes the idle connections to peers that are down.
  void drop_dead_peers();

 private:
  std::shared_ptr<const Runtime> runtime_;
  net::Loop& loop_;
  std::vector<std::unique_ptr<IdleConnections>> idle_;
  std::unordered_map<std::string, std::unique_ptr<Dynamic>> dynamic_;
};
// Single-threaded: the control block's atomic count is only ever touched by this worker.
using RuntimePin = std::shared_ptr<WorkerRuntime>;

class Worker {
 public:
  struct Options {
    std::uint32_t index = 0;
    std::function<std::uint64_t()> next_connection_id;
  };
  Worker(const Options& options, const Clock& clock, Log& log);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void start();  // the thread
  void join();

  // ---- from the control thread: each is posted to the worker ----
  // Serves `runtime` from the next request on. `sockets`: descriptors to accept from, by
  // Listen::text; those of earlier runtimes that are not among them are closed.
  void use(std::shared_ptr<const Runtime> runtime,
           std::vector<std::pair<std::string, int>> sockets);
  // Stops accepting, closes idle connections, lets requests end.
  void drain();
  // Ends everything at once.
  void stop();
  void reopen_logs();
  void peers_changed();
  [[nodiscard]] bool idle() const { return sessions_alive_.load(std::memory_order_acquire) == 0; }
  [[nodiscard]] const WorkerStats& stats() const { return stats_; }

  // ---- on the worker's thread ----
  [[nodiscard]] std::uint32_t index() const { return options_.index; }
  [[nodiscard]] net::Loop& loop() { return loop_; }
  [[nodiscard]] net::Scratch& scratch() { return scratch_; }
  [[nodiscard]] std::string& out() { return out_; }  // for heads; empty it before use
  [[nodiscard]] Log& log() { return log_; }
  [[nodiscard]] const RuntimePin& runtime() const { return runtime_; }
  [[nodiscard]] WorkerStats& mutable_stats() { return stats_; }
  [[nodiscard]] AccessLogs& access_logs() { return access_logs_; }
  [[nodiscard]] bool draining() const { return draining_; }
  [[nodiscard]] std::uint64_t random() { return random_(); }
  // "Server: weir\r\nDate: ...\r\n", worked out once a second.
  [[nodiscard]] std::string_view server_and_date();

  [[nodiscard]] Exchange* take_exchange();
  void give_exchange(Exchange* exchange);

  void accepted(int fd, const std::string& listen_text, const IpAddress& peer);
  void add(Session& session);
  void remove(Session& session);
  // Idle keep-alive sessions, the longest idle first.
  void idle_begins(Session& session);
  void idle_ends(Session& session);
  // Frees a descriptor by closing what is idle longest; false: nothing is.
  bool shed();

 private:
  void end_of_turn();
  static void on_flush_timer(TimerWheel::Timer& timer);
  const std::string& intern(const std::string& listen_text);

  struct FlushTimer : TimerWheel::Timer {
    explicit FlushTimer(Worker& worker_) : Timer(&Worker::on_flush_timer), worker(worker_) {}
    Worker& worker;
  };

  Options options_;
  Log& log_;
  net::Loop loop_;
  net::Scratch scratch_;
  std::string out_;
  RuntimePin runtime_;
  WorkerStats stats_;
  AccessLogs access_logs_;
  FlushTimer flush_timer_{*this};
  std::mt19937_64 random_;
  std::vector<std::unique_ptr<std::string>> listen_texts_;  // every address ever listened on
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  std::vector<Exchange*> exchanges_;  // free ones
  Session* sessions_ = nullptr;       // all
  Session* idle_first_ = nullptr;
  Session* idle_last_ = nullptr;
  std::atomic<std::uint64_t> sessions_alive_{0};
  bool draining_ = false;
  bool stopping_ = false;
  std::int64_t date_second_ = 0;
  std::string server_and_date_;
  std::thread thread_;
};

}  // namespace weir::proxy
