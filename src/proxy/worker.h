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
#include "base/log_files.h"
#include "base/log_limit.h"
#include "discovery/name_servers.h"
#include "net/loop.h"
#include "net/socket.h"
#include "proxy/access_log.h"
#include "proxy/dynamic_pools.h"
#include "proxy/guest.h"
#include "proxy/idle_connections.h"
#include "proxy/peer_watch.h"
#include "proxy/runtime.h"
#include "proxy/stats.h"
#include "tls/challenges.h"

namespace weir::proxy {

class Acceptor;
class Exchange;
class Http2Connection;
struct Explanation;
struct Question;
class Session;
class Worker;

// A runtime as one worker sees it: shared structure, and this worker's connections to the peers.
// Pinned by exchanges with a plain count: it never leaves its thread.
class WorkerRuntime {
 public:
  WorkerRuntime(std::shared_ptr<const Runtime> runtime, net::Loop& loop, std::uint32_t worker);
  [[nodiscard]] const Runtime& get() const { return *runtime_; }
  [[nodiscard]] const std::shared_ptr<const Runtime>& shared() const { return runtime_; }
  [[nodiscard]] IdleConnections& idle(std::uint32_t pool) { return *idle_[pool]; }
  [[nodiscard]] DynamicPools& dynamic() { return dynamic_; }
  bool drop_oldest_idle();
  // Closes the idle connections to peers that are down, and has those look again that wait for one.
  void peers_changed();

 private:
  std::shared_ptr<const Runtime> runtime_;
  std::vector<std::unique_ptr<IdleConnections>> idle_;
  DynamicPools dynamic_;
};
// Single-threaded: the control block's atomic count is only ever touched by this worker.
using RuntimePin = std::shared_ptr<WorkerRuntime>;

class Worker {
 public:
  struct Options {
    std::uint32_t index = 0;
    std::function<std::uint64_t()> next_connection_id;
    // Of all workers, for stub_status and its variables; empty: this worker's own.
    std::function<ConnectionCounts()> connection_counts;
    std::shared_ptr<WorkerStats> stats;  // of its index; null: its own
    GuestHooks guests;
    // What ACME servers ask for; null: nothing. Outlives the worker.
    const tls::Challenges* challenges = nullptr;
  };
  // `log_files` must outlive it.
  Worker(const Options& options, const Clock& clock, Log& log, const LogFiles& log_files);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void start();  // the thread
  void join();

  // ---- from the control thread: each is posted to the worker ----
  // What a worker accepts from.
  struct Sockets {
    std::vector<net::ListenSocket> own;
    std::vector<std::uint64_t> all;  // the numbers of all that any worker accepts from
  };
  // Serves `runtime` from the next request on. `done` is called on the worker's thread when it
  // does.
  void use(std::shared_ptr<const Runtime> runtime, Sockets sockets, std::function<void()> done);
  // The same, for a runtime with the same listeners.
  void use(std::shared_ptr<const Runtime> runtime, std::function<void()> done);
  // Ends the connections that have served nothing under a generation after `generation`.
  void cut(std::uint64_t generation);
  // Stops accepting, closes idle connections, lets requests end. `begun` is called on the worker's
  // thread when it accepts no more: only then idle() tells of the end.
  void drain(std::function<void()> begun);
  // Ends everything at once.
  void stop();
  void reopen_logs();
  void peers_changed();
  // Follows a request to the choice of its peer, and changes nothing. `done` is called on the
  // worker's thread.
  using Explained = std::function<void(std::shared_ptr<const Explanation>)>;
  void explain(Question question, Explained done);
  void post(std::function<void()> work) { loop_.post(std::move(work)); }
  [[nodiscard]] bool idle() const { return sessions_alive_.load(std::memory_order_acquire) == 0; }
  [[nodiscard]] const WorkerStats& stats() const { return *stats_; }

  // ---- on the worker's thread ----
  [[nodiscard]] std::uint32_t index() const { return options_.index; }
  [[nodiscard]] net::Loop& loop() { return loop_; }
  [[nodiscard]] net::Scratch& scratch() { return scratch_; }
  [[nodiscard]] std::string& out() { return out_; }  // for heads; empty it before use
  [[nodiscard]] Log& log() { return log_; }
  // Whether a line that begins so may be written: not if there have been too many like it. `own`: a
  // location's log, or null. `subject`: see LogLimit::admits().
  [[nodiscard]] bool may_log(const std::shared_ptr<Log>& own, LogLevel level, std::string_view text,
                             std::string_view subject = {}) {
    if (log_limit_.admits(own, level, text, loop_.now(), subject)) return true;
    stats_->log_left_out.add();
    return false;
  }
  [[nodiscard]] const tls::Challenges* challenges() const { return options_.challenges; }
  [[nodiscard]] discovery::NameServers& names() { return names_; }
  [[nodiscard]] StartWaits& start_waits() { return start_waits_; }
  [[nodiscard]] PeerWatches& watches() { return watches_; }
  [[nodiscard]] const RuntimePin& runtime() const { return runtime_; }
  [[nodiscard]] WorkerStats& mutable_stats() { return *stats_; }
  [[nodiscard]] AccessLogs& access_logs() { return access_logs_; }
  [[nodiscard]] bool draining() const { return draining_; }
  [[nodiscard]] std::uint64_t random() { return random_(); }
  // "Server: PRODUCT\r\nDate: ...\r\n", worked out once a second.
  [[nodiscard]] std::string_view server_and_date(std::string_view product);
  [[nodiscard]] ConnectionCounts connection_counts() const;

  [[nodiscard]] Exchange* take_exchange();
  void give_exchange(Exchange* exchange);

  void accepted(int fd, const std::string& listen_text, const IpAddress& peer);
  [[nodiscard]] std::uint64_t next_connection_id() { return options_.next_connection_id(); }
  void add(Guest& guest);
  void remove(Guest& guest);
  // It has something to send when this turn ends.
  void flush_later(Http2Connection& connection) { unflushed_.push_back(&connection); }
  void forget(Http2Connection& connection);
  void add(Session& session);
  void remove(Session& session);
  // Idle keep-alive sessions, the longest idle first.
  void idle_begins(Session& session);
  void idle_ends(Session& session);
  // Frees a descriptor by closing what is idle longest; false: nothing is, or no client for that
  // long.
  bool shed(Duration idle_for = Duration{0});
  // Requests of a peer have failed too often: it gets none for a while.
  void log_ejection(const upstream::Pool& pool, const upstream::Peer& peer, Duration time);
  // net::begin_connect() where no descriptor is free: whoever is idle makes room, else one is
  // waited for until `deadline`. The descriptor, or -errno; -ECANCELED when `waiter` is cancelled.
  net::Task<int> connect_when_free(const Endpoint& to, const net::ConnectOptions& options,
                                   net::Waiter& waiter, TimePoint deadline);

 private:
  void take(const std::shared_ptr<const Runtime>& runtime);
  void end_of_turn();
  void begin_explaining(const Question& question, const Explained& done);
  void change_acceptors(Sockets& sockets);
  void change_ports(Sockets& sockets);
  void close_ports();
  [[nodiscard]] bool empty() const { return sessions_ == nullptr && guests_ == nullptr; }
  static void on_flush_timer(TimerWheel::Timer& timer);
  static void on_drain_timer(TimerWheel::Timer& timer);
  void drain_sessions(bool spare_fresh);
  const std::string& intern(const std::string& listen_text);

  struct FlushTimer : TimerWheel::Timer {
    explicit FlushTimer(Worker& worker_) : Timer(&Worker::on_flush_timer), worker(worker_) {}
    Worker& worker;
  };

  struct DrainTimer : TimerWheel::Timer {
    explicit DrainTimer(Worker& worker_) : Timer(&Worker::on_drain_timer), worker(worker_) {}
    Worker& worker;
  };

  Options options_;
  Log& log_;
  net::Loop loop_;
  net::Scratch scratch_;
  std::string out_;
  RuntimePin runtime_;
  std::shared_ptr<WorkerStats> stats_;
  AccessLogs access_logs_;
  LogLimit log_limit_;
  discovery::NameServers names_;
  StartWaits start_waits_;
  PeerWatches watches_;
  FlushTimer flush_timer_{*this};
  DrainTimer drain_timer_{*this};
  std::mt19937_64 random_;
  std::vector<std::unique_ptr<std::string>> listen_texts_;  // every address ever listened on
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  std::vector<Port*> ports_;
  std::vector<Exchange*> exchanges_;  // free ones
  std::vector<Http2Connection*> unflushed_;
  std::vector<Http2Connection*> flushing_;
  Session* sessions_ = nullptr;  // all
  Guest* guests_ = nullptr;      // all
  Session* idle_first_ = nullptr;
  Session* idle_last_ = nullptr;
  std::atomic<std::uint64_t> sessions_alive_{0};
  bool draining_ = false;
  bool stopping_ = false;
  std::int64_t date_second_ = 0;
  std::string product_;
  std::string server_and_date_;
  std::thread thread_;
};

}  // namespace weir::proxy
