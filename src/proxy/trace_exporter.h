// Sends spans to a collector by OTLP over HTTP in JSON
// (https://opentelemetry.io/docs/specs/otlp/), from a thread of its own: whatever the collector
// does, no request waits for it. Spans beyond batch_size x batch_count, or kMostBytes, are dropped,
// and those of a batch that the collector did not take; both are counted.
//
// Workers add spans. Owned by the runtimes that use it; the thread outlives it by as much as its
// last batch may take, and shares with it nothing but the queue.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "config/trace_config.h"

namespace weir::proxy {

// Of spans, since the start of the process. Any thread.
struct TraceCounts {
  std::atomic<std::uint64_t> sent{0};     // that a collector has taken
  std::atomic<std::uint64_t> dropped{0};  // that found the queue full
  std::atomic<std::uint64_t> failed{0};   // that it refused, or did not take
};

class TraceExporter {
 public:
  // How long a collector may take for a batch: to be found, to connect, to take it, to answer.
  static constexpr Duration kPatience{5'000};

  // Of the spans that wait.
  static constexpr std::size_t kMostBytes = std::size_t{16} << 20;

  // `counts` go on from one exporter to the next.
  TraceExporter(config::TraceConfig config, std::shared_ptr<TraceCounts> counts);
  ~TraceExporter();
  TraceExporter(const TraceExporter&) = delete;
  TraceExporter& operator=(const TraceExporter&) = delete;

  // A span as a JSON object. Never waits for more than a short lock. False: there is no room.
  bool add(std::string span);
  [[nodiscard]] const config::TraceConfig& config() const;
  // What went wrong since it was asked last, for the error log; empty: nothing.
  [[nodiscard]] std::string take_error();
  // Sends what waits, for `patience` at most. Called once, at the end of the process.
  void finish(Duration patience);

 private:
  struct Shared;
  static void run(const std::shared_ptr<Shared>& shared);

  std::shared_ptr<Shared> shared_;
};

}  // namespace weir::proxy
