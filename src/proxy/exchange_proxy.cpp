// The part of an exchange that involves peers: choosing, trying, trying again.
#include <algorithm>
#include <cstring>
#include <string>

#include "config/text.h"
#include "proxy/attempt.h"
#include "proxy/attempt_stats.h"
#include "proxy/exchange.h"
#include "proxy/http2_stream.h"
#include "proxy/refusal.h"
#include "proxy/retries.h"
#include "proxy/text.h"
#include "proxy/value_text.h"
#include "proxy/variables.h"

namespace weir::proxy {
namespace {

// A peer that breaks off or talks nonsense has failed; one that falls silent inside its answer may
// be an event stream with nothing to say; the client's faults are not the peer's.
upstream::Outcome after_failed_delivery(Error error, upstream::Outcome otherwise) {
  if (error.what == Errc::peer_truncated || error.what == Errc::peer_bad_body) {
    return upstream::Outcome::failure;
  }
  return error.side() == Side::local ? otherwise : upstream::Outcome::neutral;
}

}  // namespace

net::Task<Step> Exchange::proxy() {
  Step step = co_await choose_pool();
  if (step.goes_on() && in_maintenance()) step = co_await answer_maintenance();
  if (step.goes_on() && explanation_ != nullptr) step = explain_pick();
  if (step.goes_on()) step = co_await read_request_body();
  if (!step.goes_on()) co_return step;
  if (sends_body() && body_.lost()) {
    log(LogLevel::error,
        "the request's body has gone to another upstream and cannot be sent again");
    co_return Step::answer_with(502);
  }
  if (pool_->grace != nullptr && pool_->grace->holds(worker_.loop().now())) {
    enter(Phase::balance);
    co_await worker_.start_waits().wait(*pool_->grace, worker_.loop(), waiter());
  }
  begin_tries();
  bool separate = !attempts_.empty();
  upstream::Pool::Choice choice;
  const char* retry = nullptr;
  bool fresh = false;
  bool all_tried = false;
  bool may_wait = queues();
  RetryLease lease;
  for (;;) {
    enter(Phase::balance);
    if (all_tried) choice = {};
    if (!fresh && !all_tried) choice = pick_peer(retry == nullptr);
    if (choice.peer == nullptr && may_wait) choice = co_await wait_for_peer(retry != nullptr);
    attempts_.emplace_back();
    auto& record = attempts_.back();
    record.peer = choice.peer;
    record.peer_index = choice.index;
    record.reason = choice.reason;
    record.skipped = choice.skipped;
    record.retry = retry;
    record.separate = std::exchange(separate, false);
    if (choice.peer == nullptr) co_return none_left(record);
    affinity_.chose(*this, *pool_, choice.index);
    const auto began = worker_.loop().now();
    record.began = began;
    if (main_->trace_ != nullptr && main_->trace_->current.sampled) {
      record.span = worker_.random() | 1U;
    }
    Attempt attempt(*this, *choice.peer, choice.index, fresh);
    Error error = co_await attempt.run();
    auto refusal = Refusal::no;
    if (error.ok()) {
      attempts_.back().header = worker_.loop().now() - began;
      attempts_.back().status = response_.status;
      const auto* stream = session_->stream();
      const bool unasked = !attempt.asks_upgrade() || !attempt.request_sent() || !is_main() ||
                           (stream != nullptr && !stream->wants_tunnel());
      if (response_.status == 101 && unasked) error = {Errc::peer_bad_head, 0};
      if (may_be_refusal(response_.status)) refusal = co_await look_for_refusal(attempt);
    }
    if (!body_.replayable()) tries_.body_lost();
    auto result = attempt.result(error);
    result.not_executed = result.not_executed || refusal == Refusal::not_executed;
    result.peer_failed = refusal == Refusal::failed;
    auto decision = tries_.again(result, worker_.loop().now());
    attempts_.back().error = error;
    // What was not executed costs nobody anything; the rest has to keep within the budget.
    const bool costs =
        decision.again && !decision.same_peer && result.request_sent && !result.not_executed;
    if (costs && !lease.take(*pool_->pool) &&
        !co_await wait_for_budget(lease, attempt, error.ok())) {
      decision = tries_.settle(result);
    }
    may_wait = decision.may_wait && queues();
    all_tried = !decision.again;
    if (decision.again || may_wait) {
      attempts_.back().response = worker_.loop().now() - began;
      log_attempt(attempts_.back(), true);
      fresh = decision.same_peer;
      if (!fresh) {
        const auto cause = cause_of(result);
        retry = to_string(cause);
        pool_->stats[choice.index]
            ->of(worker_.index())
            .retry_causes[static_cast<std::size_t>(cause)]
            .add();
        end_attempt(*choice.peer, decision.blame, true);
      } else {
        pool_->stats[choice.index]->of(worker_.index()).stale.add();
        // The choice stands: one attempt, of which $upstream_addr and the others tell once.
        separate = attempts_.back().separate;
        attempts_.pop_back();
      }
      discard_answer();
      continue;
    }
    auto outcome = decision.blame;
    Delivered delivered;
    if (error.ok()) {
      pool_->pool->head_came(walk_, *choice.peer, attempts_.back().header);
      affinity_.learn(*this, *pool_, choice.index, false);
      lease.release();
      delivered = co_await deliver(attempt);
      error = delivered.error;
      if (!error.ok()) outcome = after_failed_delivery(error, outcome);
    }
    auto& last = attempts_.back();
    last.response = worker_.loop().now() - began;
    last.error = error;
    if (outcome != upstream::Outcome::failure) {
      affinity_.learn(*this, *pool_, choice.index, true);
    }
    end_attempt(*choice.peer, outcome, false);
    if (error.ok()) co_return delivered.step;
    if (last.status == 0) last.status = static_cast<std::uint16_t>(info(error.what).status);
    fail(error);
    log_attempt(last, false);
    co_return give_up(error);
  }
}

// ---- where to
// ----------------------------------------------------------------------------------------

// The pool of the location; for a target with variables, the upstream of that name, or one made
// for the address.
net::Task<Step> Exchange::choose_pool() {
  const auto& proxy = *location_->config().proxy();
  std::uint32_t index = 0;
  peer_tls_ = proxy.tls;
  if (proxy.upstream) {
    index = *proxy.upstream;
  } else {
    target_.clear();
    evaluate(proxy.target, *this, target_);
    const Target target = proxy.grpc ? parse_grpc_target(target_) : parse_target(target_);
    if (!target.valid) {
      log(LogLevel::error, proxy.grpc ? "invalid URL \"" + target_ + "\" of grpc_pass"
                                      : "invalid URL prefix in \"" + target_ + "\" of proxy_pass");
      co_return Step::answer_with(500);
    }
    peer_tls_ = target.tls;
    dynamic_host_.assign(target.authority);
    dynamic_uri_.assign(target.uri);
    dynamic_has_uri_ = target.has_uri;
    const auto found = runtime().pool_by_name.find(config::lower(dynamic_host_));
    if (found == runtime().pool_by_name.end()) {
      co_return co_await make_pool();
    }
    index = found->second;
  }
  pool_ = &runtime().pools[index];
  idle_ = &pin_->idle(index);
  co_return Step{};
}

// The pool of `dynamic_host_`, whose name is looked up.
net::Task<Step> Exchange::make_pool() {
  const bool grpc = location_->config().proxy()->grpc;
  const auto authority = parse_authority(dynamic_host_, grpc ? 0 : peer_tls_ ? 443 : 80);
  if (!authority || (authority->port == 0 && authority->unix_path.empty())) {
    log(LogLevel::error, "invalid host or port in \"" + dynamic_host_ + "\" of " +
                             (grpc ? "grpc_pass" : "proxy_pass"));
    co_return Step::answer_with(500);
  }
  std::vector<Endpoint> endpoints;
  if (!authority->unix_path.empty()) {
    endpoints.push_back({{}, std::string(authority->unix_path)});
  } else if (const auto address = IpAddress::parse(authority->host, authority->port)) {
    endpoints.push_back({*address, {}});
  } else {
    auto& resolver = worker_.names().get(config().resolver);
    const auto deadline = worker_.loop().now() + config().resolver_timeout;
    auto found = resolver.known(authority->host);
    if (!found) found = co_await resolver.resolve(authority->host, waiter(), deadline);
    if (!found->ok()) {
      if (found->error == net::ResolveError::cancelled) {
        fail({Errc::shutting_down, 0});
        co_return give_up({Errc::shutting_down, 0});
      }
      log(LogLevel::error, net::describe(authority->host, found->error));
      co_return Step::answer_with(502);
    }
    for (auto& to : found->addresses) {
      to.set_port(authority->port);
      endpoints.push_back({to, {}});
    }
    std::sort(endpoints.begin(), endpoints.end(),
              [](const Endpoint& a, const Endpoint& b) { return comes_before(a.ip, b.ip); });
  }
  dynamic_.push_back(pin_->dynamic().get(dynamic_host_, endpoints));
  pool_ = &dynamic_.back()->node;
  idle_ = dynamic_.back()->idle.get();
  co_return Step{};
}

void Exchange::begin_tries() {
  discard_answer();  // of an upstream that led here
  queue_spent_ = Duration{0};
  const auto& c = config();
  begin_walk();
  upstream::Tries::Rules rules;
  rules.next_upstream = c.proxy_next_upstream;
  rules.max_tries = pool_->pool->max_tries();
  rules.limit = c.proxy_next_upstream_tries;
  rules.timeout = c.proxy_next_upstream_timeout;
  rules.repeatable = http::may_repeat(method_) || is_safe_to_repeat(*this, *pool_);
  tries_.begin(rules, worker_.loop().now());
}

// ---- the request's body
// ------------------------------------------------------------------------------

// Begins to read the body, if nobody has. `buffered`: it will be read ahead.
Error Exchange::start_body(bool buffered) {
  const auto& c = config();
  RequestBody::Limits limits;
  limits.max_size = c.client_max_body_size;
  limits.memory = c.client_body_buffer_size;
  limits.buffered = buffered;
  limits.keep = c.proxy_retry_body_size;
  limits.file_only = buffered && c.client_body_in_file_only != config::BodyFile::off;
  limits.keep_file = c.client_body_in_file_only == config::BodyFile::on;
  limits.directory = c.client_body_temp_path;
  return body_.start(limits, session_->pending());
}

net::Task<Step> Exchange::read_request_body() {
  const auto& c = config();
  Error error;
  if (is_main() && !dropped_body_) {
    // HTTP/1.0 knows no chunks: the body's length must be known before it is sent.
    const bool unchunk = c.proxy_http_version == config::PeerVersion::http10 &&
                         request_.framing.kind == http::Framing::Kind::chunked;
    buffer_body_ = c.proxy_request_buffering || unchunk || c.has_proxy_set_body;
    error = start_body(buffer_body_);
    if (error.ok() && buffer_body_ && !body_.complete()) {
      enter(Phase::body);
      error = co_await read_body_ahead();
    }
  }
  if (!error.ok()) {
    fail(error);
    if (error.what == Errc::client_body_too_large) {
      log(LogLevel::error, "client intended to send too large body");
    }
    co_return give_up(error);
  }
  if (is_main() && request_.expect_continue && !continue_sent_ && body_.counted() &&
      body_.announced() == 0) {
    // Nothing will come, but the client has asked: nginx says so, too.
    continue_sent_ = true;
    const auto before = bytes_sent_;
    error = co_await send_to_client("HTTP/1.1 100 Continue\r\n\r\n");
    bytes_sent_ = before;
    if (!error.ok()) {
      fail(error);
      co_return give_up(error);
    }
  }
  set_body_.clear();
  if (c.has_proxy_set_body) evaluate(c.proxy_set_body, *this, set_body_);
  co_return Step{};
}

http::Framing Exchange::outgoing_body() const {
  using Kind = http::Framing::Kind;
  const auto& c = config();
  if (c.has_proxy_set_body)
    return {set_body_.empty() ? Kind::none : Kind::counted, set_body_.size()};
  if (!sends_body()) return {};
  return body_.outgoing();
}

bool Exchange::sends_body() const {
  return config().proxy_pass_request_body && !config().has_proxy_set_body && !dropped_body_;
}

net::Task<Error> Exchange::read_body_ahead() {
  auto& client = session_->client();
  while (!body_.complete()) {
    const auto read = body_.read(client, worker_.scratch().data(), session_->pending());
    if (!read.error.ok()) co_return read.error;
    if (!read.blocked) continue;
    const Error error = co_await send_continue();
    if (!error.ok()) co_return error;
    if (body_too_slow()) co_return Error{Errc::client_timed_out, 0};
    const net::Interest readable(client.on_readable, waiter());
    const auto began = worker_.loop().now();
    const auto wake = co_await waiter().wait(began + config().client_body_timeout);
    body_waited_ += worker_.loop().now() - began;
    if (wake == net::Wake::cancelled) co_return Error{Errc::shutting_down, 0};
    if (wake == net::Wake::timeout) co_return Error{Errc::client_timed_out, 0};
  }
  co_return Error{};
}

bool Exchange::body_too_slow() const {
  constexpr Duration grace = std::chrono::seconds{10};
  const auto least = config().client_body_min_rate;
  if (least == 0 || body_waited_ < grace) return false;
  const auto rate = body_.received() * 1000 / static_cast<std::uint64_t>(body_waited_.count());
  return rate < least;
}

// ---- the accounts of attempts
// ------------------------------------------------------------------------

void Exchange::discard_answer() {
  response_bytes_.clear();
  has_response_ = false;
}

void Exchange::end_attempt(upstream::Peer& peer, upstream::Outcome outcome, bool again) {
  auto& record = attempts_.back();
  const bool counts = !again && outcome != upstream::Outcome::failure;
  pool_->pool->took(walk_, peer, {record.header, record.response, counts});
  const auto ejected = pool_->pool->done(peer, outcome, worker_.loop().now());
  if (ejected.count() > 0) worker_.log_ejection(*pool_->pool, peer, ejected);
  // Who comes next finds out no sooner whether a peer that turns requests away takes them again.
  if (!again && pool_->queue != nullptr && pool_->queue->busy()) pool_->queue->wake_one();
  auto& stats = pool_->stats[record.peer_index]->of(worker_.index());
  count_attempt(stats, record, outcome, again);
}

// In nginx's form: what, while what, who, which request, which peer.
void Exchange::log_attempt(const AttemptRecord& record, bool again) {
  const bool client_side = record.error.side() == Side::client;
  const auto level = record.error.ok() || client_side                 ? LogLevel::info
                     : record.error.what == Errc::peer_stale && again ? LogLevel::info
                                                                      : LogLevel::error;
  if (!error_log().enabled(level)) return;
  std::string text(info(record.error.what).text);
  if (record.error.ok()) text = "peer answered " + std::to_string(record.status);
  if (record.error.sys != 0) {
    text.append(" (").append(std::to_string(record.error.sys)).append(": ");
    text.append(std::strerror(record.error.sys)).append(")");
  }
  // The failures of one peer hide no other's. Pools made for an address are as many as clients
  // like.
  std::string subject;
  if (pool_->config != nullptr) {
    subject.append(" of ").append(pool_->pool->name());
    if (record.peer != nullptr) subject.append(", ").append(record.peer->text);
  }
  if (!worker_.may_log(location_->tools().log, level, text, subject)) return;
  if (!record.detail.empty()) text.append(": ").append(record.detail);
  text.append(" while ").append(kPhases[static_cast<std::size_t>(phase_)].text);
  text.append(", client: ").append(client_text());
  text.append(", server: ").append(server_->config->primary_name);
  text.append(", request: \"").append(request().request_line()).append("\"");
  const bool grpc = location_->config().proxy()->grpc;
  text.append(", upstream: \"").append(grpc ? "grpc" : "http").append(peer_tls_ ? "s://" : "://");
  text.append(record.peer != nullptr ? record.peer->text : pool_->pool->name());
  if (record.peer != nullptr && record.peer->spec.endpoint.is_unix()) text.append(":");
  text.append(origin_form());
  text.append("\", host: \"").append(request().host_text()).append("\"");
  text.append(", reason: ");
  append_reason(text, record);
  if (again) text.append("; trying again");
  error_log().write(level, text, session_->id());
}

}  // namespace weir::proxy
