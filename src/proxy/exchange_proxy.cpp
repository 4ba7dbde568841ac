// The part of an exchange that involves peers: choosing, trying, trying again, passing on.
#include <algorithm>
#include <cstring>
#include <string>

#include "proxy/attempt.h"
#include "proxy/exchange.h"
#include "proxy/heads.h"
#include "proxy/response_relay.h"
#include "proxy/tunnel.h"
#include "proxy/variables.h"

namespace weir::proxy {
namespace {

upstream::Outcome to_outcome(upstream::Tries::Decision::Blame blame) {
  using Blame = upstream::Tries::Decision::Blame;
  switch (blame) {
    case Blame::success:
      return upstream::Outcome::success;
    case Blame::failure:
      return upstream::Outcome::failure;
    case Blame::neutral:
      return upstream::Outcome::neutral;
  }
  return upstream::Outcome::neutral;
}

// A peer that breaks off or talks nonsense has failed; one that falls silent inside its answer may
// be an event stream with nothing to say; the client's faults are not the peer's.
upstream::Outcome after_failed_delivery(Error error, upstream::Outcome otherwise) {
  if (error.what == Errc::peer_truncated || error.what == Errc::peer_bad_body) {
    return upstream::Outcome::failure;
  }
  return error.side() == Side::local ? otherwise : upstream::Outcome::neutral;
}

}  // namespace

net::Task<void> Exchange::proxy() {
  if (!choose_pool()) {
    co_await respond_error(502);
    co_return;
  }
  if (buffer_body_ && !body_.complete()) {
    enter(Phase::body);
    const Error error = co_await read_body_ahead();
    if (!error.ok()) {
      fail(error);
      co_await respond_for(error);
      co_return;
    }
  }
  begin_tries();
  upstream::Pool::Choice choice;
  bool fresh = false;
  for (;;) {
    enter(Phase::balance);
    if (!fresh) choice = pool_->pool->pick(walk_, worker_.loop().now());
    attempts_.emplace_back();
    auto& record = attempts_.back();
    record.peer = choice.peer;
    record.peer_index = choice.index;
    record.reason = choice.reason;
    if (choice.peer == nullptr) {
      record.status = 502;
      record.error = {Errc::no_live_peers, 0};
      fail(record.error);
      log_attempt(record, false);
      co_await respond_error(502);
      co_return;
    }
    const auto began = worker_.loop().now();
    Attempt attempt(*this, *choice.peer, choice.index, fresh);
    Error error = co_await attempt.run();
    const auto now = worker_.loop().now();
    if (error.ok()) {
      attempts_.back().header = now - began;
      attempts_.back().status = response_.status;
      const bool unasked = !attempt.asks_upgrade() || !attempt.request_sent();
      if (response_.status == 101 && unasked) error = {Errc::peer_bad_head, 0};
    }
    if (!body_.replayable()) tries_.body_lost();
    const auto decision = tries_.again(attempt.result(error), now);
    attempts_.back().error = error;
    if (decision.again) {
      attempts_.back().response = now - began;
      log_attempt(attempts_.back(), true);
      fresh = decision.same_peer;
      if (!fresh) {
        end_attempt(*choice.peer, to_outcome(decision.blame), true);
      } else {
        pool_->stats[choice.index]->of(worker_.index()).stale.add();
      }
      discard_answer();
      continue;
    }
    auto outcome = to_outcome(decision.blame);
    if (error.ok()) {
      error = co_await deliver(attempt);
      if (!error.ok()) {
        outcome = after_failed_delivery(error, outcome);
      }
    }
    auto& last = attempts_.back();
    last.response = worker_.loop().now() - began;
    last.error = error;
    end_attempt(*choice.peer, outcome, false);
    if (!error.ok()) {
      if (last.status == 0) last.status = static_cast<std::uint16_t>(info(error.what).status);
      fail(error);
      log_attempt(last, false);
      co_await respond_for(error);
    }
    co_return;
  }
}

// The pool of the location; for a target with variables, the upstream of that name, or one made
// for the address.
bool Exchange::choose_pool() {
  const auto& proxy = *location_->config().proxy;
  std::uint32_t index = 0;
  if (proxy.upstream) {
    index = *proxy.upstream;
  } else {
    target_.clear();
    evaluate(proxy.target, *this, target_);
    const Target target = parse_target(target_);
    if (!target.valid) {
      worker_.log().write(LogLevel::error, "invalid URL \"" + target_ + "\" in proxy_pass",
                          session_->id());
      return false;
    }
    dynamic_host_.assign(target.authority);
    dynamic_uri_.assign(target.uri);
    dynamic_has_uri_ = target.has_uri;
    const auto found = runtime().pool_by_name.find(dynamic_host_);
    if (found == runtime().pool_by_name.end()) {
      auto* dynamic = pin_->dynamic(target.authority, worker_.index());
      if (dynamic == nullptr) {
        worker_.log().write(
            LogLevel::error,
            "no upstream \"" + dynamic_host_ +
                "\" for proxy_pass, and it is no address; declare it as an upstream",
            session_->id());
        return false;
      }
      pool_ = &dynamic->node;
      idle_ = dynamic->idle.get();
      return true;
    }
    index = found->second;
  }
  pool_ = &runtime().pools[index];
  idle_ = &pin_->idle(index);
  return true;
}

void Exchange::begin_tries() {
  const auto& proxy = *location_->config().proxy;
  walk_.reset(client_address_);
  upstream::Tries::Rules rules;
  rules.next_upstream = proxy.next_upstream;
  rules.max_tries = pool_->pool->max_tries();
  if (proxy.next_upstream_tries > 0) {
    rules.max_tries = std::min(rules.max_tries, proxy.next_upstream_tries);
  }
  rules.timeout = proxy.next_upstream_timeout;
  rules.repeatable = http::may_repeat(request_.method);
  tries_.begin(rules, worker_.loop().now());
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
    const net::Interest readable(client.on_readable, session_->waiter());
    const auto began = worker_.loop().now();
    const auto wake = co_await session_->waiter().wait(began + config().client_body_timeout);
    body_waited_ += worker_.loop().now() - began;
    if (wake == net::Wake::cancelled) co_return Error{Errc::shutting_down, 0};
    if (wake == net::Wake::timeout) co_return Error{Errc::client_timed_out, 0};
  }
  co_return Error{};
}

bool Exchange::body_too_slow() const {
  constexpr Duration grace = std::chrono::seconds{10};
  if (config().min_body_rate == 0 || body_waited_ < grace) return false;
  const auto rate = body_.received() * 1000 / static_cast<std::uint64_t>(body_waited_.count());
  return rate < config().min_body_rate;
}

net::Task<Error> Exchange::deliver(Attempt& attempt) {
  enter(Phase::answer);
  decide_keep_alive();
  if (response_.status == 101) co_return co_await tunnel(attempt);
  if (!body_.complete()) {
    // An answer before the body's end: the rest is not waited for.
    keep_alive_ = false;
    linger_ = true;
  }
  ResponseRelay relay(*this, attempt);
  const Error error = co_await relay.run();
  if (!error.ok()) {
    keep_alive_ = false;
    co_return error;
  }
  attempt.give_back(relay.whole(), relay.excess());
  co_return Error{};
}

net::Task<Error> Exchange::tunnel(Attempt& attempt) {
  keep_alive_ = false;
  auto& head = worker_.out();
  head.clear();
  const auto written = write_response_head(*this, Delivery::tunnel, true, head);
  if (written != HeadResult::ok) co_return to_error(written);
  status_ = 101;
  answer_head_size_ = head.size();
  sent_head_.assign(head);
  Tunnel tunnel(session_->client(), attempt.connection(), worker_.loop(), worker_.scratch());
  // In one piece with the head: what the peer said right after it.
  head.append(attempt.body().data(), attempt.body().size());
  const Error error = co_await send_to_client(head);
  if (!error.ok()) co_return error;
  tunnel.preload_peer(session_->pending());
  session_->pending().clear();
  enter(Phase::tunnel);
  auto& stats = worker_.mutable_stats();
  stats.tunnels.add();
  const Error ended =
      co_await tunnel.run(session_->waiter(), location_->config().proxy->tunnel_timeout);
  stats.tunnels.sub();
  const auto counts = tunnel.counts();
  bytes_sent_ += counts.to_client;
  attempts_.back().received += counts.to_client;
  attempts_.back().sent += counts.to_peer;
  attempts_.back().body += counts.to_client;
  // However a tunnel ends, the answer to its request was given long ago.
  if (ended.what == Errc::shutting_down) fail(ended);
  co_return Error{};
}

void Exchange::discard_answer() {
  response_bytes_.clear();
  has_response_ = false;
}

void Exchange::end_attempt(upstream::Peer& peer, upstream::Outcome outcome, bool again) {
  pool_->pool->done(peer, outcome, worker_.loop().now());
  auto& record = attempts_.back();
  auto& stats = pool_->stats[record.peer_index]->of(worker_.index());
  const auto status_class = static_cast<std::size_t>(record.error.ok() ? record.status / 100 : 0);
  stats.by_class[status_class < stats.by_class.size() ? status_class : 0].add();
  stats.bytes_in.add(record.received);
  stats.bytes_out.add(record.sent);
  if (record.response.count() >= 0) stats.duration.observe(record.response);
  if (record.header.count() >= 0) stats.first_byte.observe(record.header);
  if (outcome == upstream::Outcome::failure) stats.failures.add();
  if (again) stats.retries.add();
  const bool connecting =
      record.error.what == Errc::connect_failed || record.error.what == Errc::connect_timed_out;
  if (connecting) stats.connect_failures.add();
  if (!record.error.ok() && record.status == 0) {
    record.status = static_cast<std::uint16_t>(info(record.error.what).status);
  }
}

// In nginx's form: what, while what, who, which request, which peer.
void Exchange::log_attempt(const AttemptRecord& record, bool again) {
  const bool client_side = record.error.side() == Side::client;
  const auto level = record.error.ok() || client_side                 ? LogLevel::info
                     : record.error.what == Errc::peer_stale && again ? LogLevel::info
                                                                      : LogLevel::error;
  if (!worker_.log().enabled(level)) return;
  static constexpr const char* whiles[] = {
      "reading the request",   "routing",          "reading the request body",
      "choosing a peer",       "connecting to it", "waiting for its answer's head",
      "passing on its answer", "tunnelling",       "finishing"};
  std::string text(info(record.error.what).text);
  if (record.error.ok()) text = "peer answered " + std::to_string(record.status);
  if (record.error.sys != 0) {
    text.append(" (").append(std::to_string(record.error.sys)).append(": ");
    text.append(std::strerror(record.error.sys)).append(")");
  }
  text.append(" while ").append(whiles[static_cast<std::size_t>(phase_)]);
  text.append(", client: ").append(client_address_.host_text());
  text.append(", server: ").append(server_->config->primary_name);
  text.append(", request: \"").append(request_.request_line()).append("\"");
  text.append(", upstream: \"http://");
  text.append(record.peer != nullptr ? record.peer->text : pool_->pool->name());
  if (record.peer != nullptr && record.peer->spec.endpoint.is_unix()) text.append(":");
  text.append(origin_form());
  text.append("\", host: \"").append(request_.host_text()).append("\"");
  if (again) text.append("; trying again");
  worker_.log().write(level, text, session_->id());
}

}  // namespace weir::proxy
