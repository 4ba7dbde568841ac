// Counters of the forwarding path. Each worker writes its own copy with plain stores; the admin
// listener adds the copies up when it is asked. No lock, no shared cache line.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "http/http2_guard.h"
#include "proxy/end_code.h"

namespace weir::proxy {

// Written by one thread, read by any.
class Counter {
 public:
  void add(std::uint64_t by = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }
  void sub(std::uint64_t by = 1) {
    value_.store(value_.load(std::memory_order_relaxed) - by, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Latencies, in buckets whose upper bounds are kBounds (milliseconds), and one above them all.
struct Histogram {
  static constexpr std::array<std::int64_t, 12> kBounds = {1,   5,   10,   25,   50,   100,
                                                           250, 500, 1000, 2500, 5000, 10000};
  std::array<Counter, kBounds.size() + 1> buckets;
  Counter sum_ms;

  void observe(Duration took) {
    std::size_t i = 0;
    while (i < kBounds.size() && took.count() > kBounds[i]) ++i;
    buckets[i].add();
    sum_ms.add(static_cast<std::uint64_t>(took.count()));
  }
};

// Of one location, in one worker.
struct LocationStats {
  std::array<Counter, 6> by_class;  // [1] is 1xx ... [5] is 5xx; [0]: ended without a status
  Histogram duration;
};

// Of one server { } or one peer, in one worker.
struct TrafficStats : LocationStats {
  Counter bytes_in;  // from the client, or from the peer
  Counter bytes_out;
};

// Of one address of stream, in one worker.
struct StreamStats {
  Counter begun;
  std::array<Counter, 6> by_class;  // of those that have ended, as LocationStats::by_class
  Counter bytes_in;                 // from clients
  Counter bytes_out;
};

inline constexpr std::size_t kErrors = 0
#define WEIR_ERROR(name, side, retry, status, text) +1
#include "base/errors.def"
#undef WEIR_ERROR
    ;

// Attempts are counted by upstream::Reason, and apart from these retries and those that another
// peer should have had.
inline constexpr std::size_t kChoiceRetry = 16;
inline constexpr std::size_t kChoiceSkip = 17;
inline constexpr std::size_t kChoiceKinds = 18;

// Why a request went to another peer.
enum class RetryCause : std::uint8_t {
#define WEIR_RETRY_CAUSE(id, word) id,
#include "proxy/retry_causes.def"
#undef WEIR_RETRY_CAUSE
};
inline constexpr std::array kRetryCauses = {
#define WEIR_RETRY_CAUSE(id, word) static_cast<const char*>(word),
#include "proxy/retry_causes.def"
#undef WEIR_RETRY_CAUSE
};
[[nodiscard]] inline const char* to_string(RetryCause cause) {
  return kRetryCauses[static_cast<std::size_t>(cause)];
}

struct PeerStats : TrafficStats {
  std::array<Counter, kChoiceKinds> choices;
  Counter connects;  // new connections
  Counter reused;    // requests sent over a kept-alive connection
  Counter connect_failures;
  Counter failures;  // attempts that counted against the peer
  Counter retries;   // attempts after which the request went elsewhere
  Counter stale;     // kept-alive connections that had died
  Histogram first_byte;
  Histogram connect;                    // of new connections
  std::array<Counter, kErrors> errors;  // attempts by the error they ended with, by Errc
  std::array<Counter, kRetryCauses.size()> retry_causes;
};

// Of one upstream whose requests may wait, in one worker.
struct QueueStats {
  Histogram waited;  // whatever the wait ended with
  Counter full;      // requests for which there was no room
  Counter unserved;  // that waited in vain
};

struct WorkerStats {
  Counter accepted, closed, requests, active, idle_client, tunnels;
  Counter reading;  // requests whose head is not complete
  Counter bad_requests;
  Counter client_aborts;
  Counter log_lost;      // access log lines that could not be written
  Counter log_left_out;  // lines of the error log: there were too many alike
  Counter fd_exhausted;
  Counter retries_denied;                      // for want of budget
  Counter tls_full, tls_resumed, tls_failed;   // handshakes with clients
  Counter requests_delayed, requests_refused;  // limit_req
  Counter connections_refused;                 // limit_conn
  Counter http2_connections, http2_closed, http2_requests;
  std::array<Counter, http::kNuisances> http2_floods;  // connections ended, by http::Nuisance
  // Requests that did not end as they should, by cause and phase.
  std::array<std::array<Counter, kPhases.size()>, kEndCauses.size()> ends;

  [[nodiscard]] Counter& broken(EndCode end) {
    return ends[static_cast<std::size_t>(end.cause)][static_cast<std::size_t>(end.phase)];
  }
};

// The counters of one server, location or peer, a copy for each worker. Outlive reloads by name.
template <class T>
class PerWorker {
 public:
  // Workers that `before` has copies for count on with them.
  explicit PerWorker(std::size_t workers, const PerWorker* before = nullptr) {
    if (before != nullptr) copies_ = before->copies_;
    while (copies_.size() < workers) copies_.push_back(std::make_shared<T>());
  }
  [[nodiscard]] T& of(std::size_t worker) { return *copies_[worker]; }
  [[nodiscard]] const std::vector<std::shared_ptr<T>>& all() const { return copies_; }

 private:
  std::vector<std::shared_ptr<T>> copies_;  // of workers that have ended, too
};

// What stub_status tells.
struct ConnectionCounts {
  std::uint64_t active = 0, accepted = 0, requests = 0, reading = 0, writing = 0, waiting = 0;

  void add(const WorkerStats& stats) {
    active += stats.accepted.get() - stats.closed.get();
    accepted += stats.accepted.get();
    requests += stats.requests.get() + stats.active.get();
    reading += stats.reading.get();
    writing += stats.active.get() - stats.reading.get();
    waiting += stats.idle_client.get();
  }
};

}  // namespace weir::proxy
