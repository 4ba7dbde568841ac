// The part of an exchange that chooses peers: at once, after a wait, or none; and what may be tried
// again besides proxy_next_upstream.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "proxy/attempt.h"
#include "proxy/exchange.h"
#include "proxy/refusal.h"
#include "proxy/retries.h"
#include "proxy/text.h"
#include "proxy/variables.h"

namespace weir::proxy {
namespace {

// How long a retry waits for the budget before the failure stands.
constexpr Duration kBudgetWait{1000};
// Who waits in a queue looks by itself, too: bans end without a sign.
constexpr Duration kLookAgain{1000};

RetryCause cause_of_status(std::uint16_t status) {
  switch (status) {
    case 403:
      return RetryCause::http_403;
    case 404:
      return RetryCause::http_404;
    case 429:
      return RetryCause::http_429;
    case 500:
      return RetryCause::http_500;
    case 502:
      return RetryCause::http_502;
    case 503:
      return RetryCause::http_503;
    case 504:
      return RetryCause::http_504;
    default:
      return RetryCause::status;
  }
}

}  // namespace

RetryCause cause_of(const upstream::AttemptResult& result) {
  if (result.not_executed && result.error.ok()) return RetryCause::maintaining;
  if (result.peer_failed) return RetryCause::stopping;
  switch (result.error.what) {
    case Errc::ok:
    case Errc::peer_status:
      return cause_of_status(result.status);
    case Errc::connect_failed:
      return result.error.sys == ECONNREFUSED ? RetryCause::refused : RetryCause::connect;
    case Errc::connect_timed_out:
      return RetryCause::connect_timeout;
    case Errc::peer_tls_failed:
    case Errc::peer_untrusted:
      return RetryCause::tls;
    case Errc::peer_stale:
      return RetryCause::stale;
    case Errc::peer_closed:
      return RetryCause::closed;
    case Errc::peer_reset:
      return RetryCause::reset;
    case Errc::peer_gone:
      return RetryCause::gone;
    case Errc::peer_send_timed_out:
    case Errc::peer_read_timed_out:
      return RetryCause::timeout;
    case Errc::peer_unprocessed:
      return RetryCause::unprocessed;
    case Errc::peer_bad_head:
      return RetryCause::invalid;
    default:
      return RetryCause::error;
  }
}

bool is_safe_to_repeat(Exchange& x, const PoolNode& pool) {
  if (pool.config == nullptr) return false;
  const auto& retry = pool.config->retry;
  if (retry.idempotency_key && x.request().find("idempotency-key") != nullptr) return true;
  const std::string_view path = x.path();
  return std::any_of(retry.safe.begin(), retry.safe.end(), [&](const config::SafePath& safe) {
    if (safe.regex == nullptr) return path.starts_with(safe.prefix);
    return safe.regex->match(path, nullptr);
  });
}

void Exchange::begin_walk() {
  walk_.reset(client_address());
  if (pool_->hash_key != nullptr) evaluate(*pool_->hash_key, *this, walk_.begin_key());
  if (pool_->pool->is_random()) walk_.seed(worker_.random());
  affinity_.bind(*this, *pool_, walk_);
}

// Whoever waits already comes first, but for requests that have been let in before.
upstream::Pool::Choice Exchange::pick_peer(bool first) {
  if (first && pool_->queue != nullptr && pool_->queue->busy()) return {};
  return pick_or_fail_open();
}

upstream::Pool::Choice Exchange::pick_or_fail_open() {
  auto choice = pool_->pool->pick(walk_, worker_.loop().now());
  if (choice.peer != nullptr || pool_->config == nullptr) return choice;
  if (!pool_->config->unavailable.fail_open) return choice;
  choice = pool_->pool->pick_anyway(walk_);
  if (choice.peer != nullptr) {
    log(LogLevel::warn, "no live upstreams of \"" + pool_->pool->name() + "\"; trying " +
                            choice.peer->text + " all the same (fail_open)");
  }
  return choice;
}

// Names, registries and operators change the pools of the same configuration. Another one may have
// other words for all that was decided for this request: it stays with its own.
void Exchange::follow_pool() {
  const auto& present = worker_.runtime();
  const auto& model = *runtime().model;
  if (present->get().model.get() != &model) return;
  const auto index = static_cast<std::uint32_t>(pool_->config - model.upstreams.data());
  const auto& pool = present->get().pools[index];
  if (&pool == pool_) return;
  later_pins_.push_back(present);
  pool_ = &pool;
  idle_ = &present->idle(index);
}

bool Exchange::queues() const {
  return pool_->queue != nullptr && queue_spent_ < pool_->config->queue.timeout;
}

// What nobody has executed waits like what has not been tried: a pool of one peer that is started
// again loses no request.
net::Task<upstream::Pool::Choice> Exchange::wait_for_peer(bool tried) {
  auto& loop = worker_.loop();
  const auto& config = pool_->config->queue;
  PoolQueue::Ticket ticket(*pool_->queue, loop, waiter());
  if (!ticket.join(config.size)) {
    log(LogLevel::error, "the queue of \"" + pool_->pool->name() + "\" is full");
    pool_->queue_stats->of(worker_.index()).full.add();
    co_return upstream::Pool::Choice{};
  }
  const auto began = loop.now();
  const auto deadline = began + config.timeout - queue_spent_;
  upstream::Pool::Choice choice;
  bool in_line = tried || pool_->queue->size() > 1;  // others came before
  for (;;) {
    if (client_left()) {
      fail({Errc::client_closed, 0});
      break;
    }
    follow_pool();
    begin_walk();
    tries_.renew(pool_->pool->max_tries());
    if (!std::exchange(in_line, false)) choice = pick_or_fail_open();
    if (choice.peer != nullptr || loop.now() >= deadline) break;
    ticket.missed();
    const net::Interest hang_up(client_slot(), waiter());
    const auto wake = co_await waiter().wait(std::min(deadline, loop.now() + kLookAgain));
    if (wake == net::Wake::cancelled) {
      fail({Errc::shutting_down, 0});
      break;
    }
  }
  if (choice.peer != nullptr) ticket.took();
  const Duration waited = loop.now() - began;
  queued_ = queued_.value_or(Duration{0}) + waited;
  queue_spent_ += waited;
  auto& stats = pool_->queue_stats->of(worker_.index());
  stats.waited.observe(waited);
  if (choice.peer == nullptr) stats.unserved.add();
  co_return choice;
}

// The client is told that nobody is there, as configured; or, if it has gone itself, nothing.
Step Exchange::none_left(AttemptRecord& record) {
  if (error_.what == Errc::client_closed || error_.what == Errc::shutting_down) {
    record.error = error_;
    return give_up(error_);
  }
  record.status = 502;
  record.error = {Errc::no_live_peers, 0};
  int status = 502;
  if (pool_->config != nullptr) {
    const auto& unavailable = pool_->config->unavailable;
    status = unavailable.status;
    record.status = unavailable.status;
    if (unavailable.retry_after.count() > 0) {
      answer_.set("Retry-After", std::to_string(unavailable.retry_after.count()));
    }
  }
  fail(record.error);
  log_attempt(record, false);
  return Step::answer_with(status);
}

// `profile nocobase`: whether the answer says that the request was not executed, or that the node
// is at its end. What was read of its body stays at hand.
net::Task<Refusal> Exchange::look_for_refusal(Attempt& attempt) {
  if (pool_->config == nullptr || !pool_->config->nocobase) co_return Refusal::no;
  std::string body;
  co_await attempt.read_ahead(kRefusalMost, body);
  co_return find_refusal(response_.status, response_.framing, body);
}

// Retries beyond the budget wait until others have ended. `answered`: the attempt has an answer,
// which stays at hand.
net::Task<bool> Exchange::wait_for_budget(RetryLease& lease, Attempt& attempt, bool answered) {
  auto& loop = worker_.loop();
  std::string kept;
  if (answered) kept.assign(attempt.body().data(), attempt.body().size());
  const auto deadline = loop.now() + kBudgetWait;
  bool taken = false;
  while (!taken && loop.now() < deadline && !client_left()) {
    const auto pause = Duration{5 + static_cast<std::int64_t>(worker_.random() % 10)};
    const net::Interest hang_up(client_slot(), waiter());
    const auto wake = co_await waiter().wait(loop.now() + pause);
    if (wake == net::Wake::cancelled) break;
    taken = lease.take(*pool_->pool);
  }
  if (!taken) {
    log(LogLevel::warn, "no retry: the budget of \"" + pool_->pool->name() + "\" is used up");
    worker_.mutable_stats().retries_denied.add();
  }
  if (answered) attempt.put_back(kept);
  co_return taken;
}

}  // namespace weir::proxy
