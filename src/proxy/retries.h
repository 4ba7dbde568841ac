// What failover asks beside upstream::Tries: is the request safe to repeat by weir's own rules, is
// there a budget, and what is a retry called. Worker thread.
#pragma once

#include <utility>

#include "proxy/stats.h"
#include "upstream/pool.h"
#include "upstream/tries.h"

namespace weir::proxy {

class Exchange;
struct PoolNode;

// A place in a pool's budget of retries, given back when it is destroyed.
class RetryLease {
 public:
  RetryLease() = default;
  ~RetryLease() { release(); }
  RetryLease(const RetryLease&) = delete;
  RetryLease& operator=(const RetryLease&) = delete;
  // False: there is none at this moment. One is enough for all retries of a request.
  [[nodiscard]] bool take(upstream::Pool& pool) {
    if (pool_ == nullptr && pool.begin_retry()) pool_ = &pool;
    return pool_ != nullptr;
  }
  // The retry has its answer: how long that takes to pass on is no matter of the budget.
  void release() {
    if (auto* pool = std::exchange(pool_, nullptr)) pool->end_retry();
  }

 private:
  upstream::Pool* pool_ = nullptr;  // whose budget it is of; null: none was taken
};

// By `retry_safe` or `retry_idempotency_key`.
[[nodiscard]] bool is_safe_to_repeat(Exchange& x, const PoolNode& pool);

// One word for what an attempt ended with: "refused", "timeout", "503".
[[nodiscard]] RetryCause cause_of(const upstream::AttemptResult& result);

}  // namespace weir::proxy
