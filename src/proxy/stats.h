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

// Of one server { } or one peer, in one worker.
struct TrafficStats {
  std::array<Counter, 6> by_class;  // [1] is 1xx ... [5] is 5xx; [0]: ended without a status
  Counter bytes_in;                 // from the client, or from the peer
  Counter bytes_out;
  Histogram duration;
};

// Attempts are counted by upstream::Reason, and apart from these retries and those that another
// peer should have had.
inline constexpr std::size_t kChoiceRetry = 16;
inline constexpr std::size_t kChoiceSkip = 17;
inline constexpr std::size_t kChoiceKinds = 18;

struct PeerStats : TrafficStats {
  std::array<Counter, kChoiceKinds> choices;
  Counter connects;  // new connections
  Counter reused;    // requests sent over a kept-alive connection
  Counter connect_failures;
  Counter failures;  // attempts that counted against the peer
  Counter retries;   // attempts after which the request went elsewhere
  Counter stale;     // kept-alive connections that had died
  Histogram first_byte;
};

struct WorkerStats {
  Counter accepted, closed, requests, active, idle_client, tunnels;
  Counter reading;  // requests whose head is not complete
  Counter bad_requests;
  Counter client_aborts;
  Counter log_lost;  // access log lines that could not be written
  Counter fd_exhausted;
  Counter retries_denied;  // for want of budget
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
