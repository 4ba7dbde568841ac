#include "proxy/trace_exporter.h"

#include <algorithm>
#include <condition_variable>
#include <iterator>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "proxy/otlp_client.h"

namespace weir::proxy {

struct TraceExporter::Shared {
  config::TraceConfig config;
  std::shared_ptr<TraceCounts> counts;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> spans;  // that wait
  std::size_t bytes = 0;           // of them
  std::string error;
  bool stopping = false;
  bool ended = false;              // the thread has
  std::atomic<bool> hurry{false};  // nobody waits for the collector any more

  [[nodiscard]] bool has_room(const std::string& span) const {
    return spans.size() < std::size_t{config.batch_size} * config.batch_count &&
           bytes + span.size() <= kMostBytes;
  }
  // The first ones, no longer waiting.
  [[nodiscard]] std::vector<std::string> take(std::size_t count) {
    const auto end = spans.begin() + static_cast<std::ptrdiff_t>(count);
    std::vector<std::string> out(std::move_iterator(spans.begin()), std::move_iterator(end));
    spans.erase(spans.begin(), end);
    for (const auto& span : out) bytes -= span.size();
    return out;
  }
};

TraceExporter::TraceExporter(config::TraceConfig config, std::shared_ptr<TraceCounts> counts)
    : shared_(std::make_shared<Shared>()) {
  shared_->counts = std::move(counts);
  shared_->config = std::move(config);
  std::thread([shared = shared_] { run(shared); }).detach();
}

TraceExporter::~TraceExporter() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->stopping = true;
  }
  shared_->changed.notify_all();
}

const config::TraceConfig& TraceExporter::config() const { return shared_->config; }

bool TraceExporter::add(std::string span) {
  bool full_batch = false;
  {
    const std::lock_guard lock(shared_->mutex);
    if (!shared_->has_room(span)) {
      shared_->counts->dropped.fetch_add(1, std::memory_order_relaxed);
      return false;
    }
    shared_->bytes += span.size();
    shared_->spans.push_back(std::move(span));
    full_batch = shared_->spans.size() == shared_->config.batch_size;
  }
  if (full_batch) shared_->changed.notify_all();
  return true;
}

std::string TraceExporter::take_error() {
  const std::lock_guard lock(shared_->mutex);
  return std::exchange(shared_->error, {});
}

void TraceExporter::finish(Duration patience) {
  std::unique_lock lock(shared_->mutex);
  shared_->stopping = true;
  shared_->changed.notify_all();
  const auto ended = [&] { return shared_->ended; };
  if (shared_->changed.wait_for(lock, patience, ended)) return;
  shared_->hurry.store(true, std::memory_order_relaxed);
  shared_->changed.wait_for(lock, Duration{500}, ended);
}

void TraceExporter::run(const std::shared_ptr<Shared>& shared) {
  auto& self = *shared;
  const std::size_t batch = self.config.batch_size;
  const auto hurry = [&] { return self.hurry.load(std::memory_order_relaxed); };
  std::unique_lock lock(self.mutex);
  while (!self.spans.empty() || !self.stopping) {
    self.changed.wait_for(lock, self.config.interval,
                          [&] { return self.stopping || self.spans.size() >= batch; });
    // All that wait, a batch after the other; those that come meanwhile belong to the next round.
    for (std::size_t left = self.spans.size(); left > 0;) {
      const std::size_t count = std::min(left, batch);
      const auto spans = self.take(count);
      left -= count;
      lock.unlock();
      std::string text;
      for (const auto& span : spans) {
        if (!text.empty()) text.push_back(',');
        text.append(span);
      }
      auto error = otlp_post(self.config, otlp_body(self.config, text), kPatience, hurry);
      (error.empty() ? self.counts->sent : self.counts->failed)
          .fetch_add(count, std::memory_order_relaxed);
      lock.lock();
      if (!error.empty()) self.error = std::move(error);
    }
  }
  self.ended = true;
  self.changed.notify_all();
}

}  // namespace weir::proxy
