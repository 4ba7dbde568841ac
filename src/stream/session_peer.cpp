// Which peer a session is for: the pool, the choice, the next one after a failure, the accounts.
#include <algorithm>
#include <cstring>

#include "config/text.h"
#include "proxy/attempt_stats.h"
#include "proxy/dynamic_pools.h"
#include "stream/session.h"

namespace weir::stream {
namespace {

const char* cause_of(const Error& error) {
  switch (error.what) {
    case Errc::connect_timed_out:
      return "timeout";
    case Errc::peer_tls_failed:
    case Errc::peer_untrusted:
      return "tls";
    case Errc::peer_gone:
      return "gone";
    default:
      return error.sys == ECONNREFUSED ? "refused" : "error";
  }
}

bool let_in(const upstream::Maintenance& maintenance, const IpAddress& client) {
  return std::any_of(maintenance.allow.begin(), maintenance.allow.end(),
                     [&](const Cidr& range) { return range.contains(client); });
}

}  // namespace

net::Task<int> Session::choose_pool() {
  int status = kGoesOn;
  if (config().upstream) {
    pool_ = &runtime().pools[*config().upstream];
  } else {
    const auto target = text_of(config().target);
    const auto found = runtime().stream_pool_by_name.find(config::lower(target));
    if (found != runtime().stream_pool_by_name.end()) {
      pool_ = &runtime().pools[found->second];
    } else {
      status = co_await make_pool(target);
    }
  }
  if (status != kGoesOn) co_return status;
  if (pool_->maintenance != nullptr && !let_in(*pool_->maintenance, client_address_)) {
    log(LogLevel::info, "upstream \"" + pool_->pool->name() + "\" is under maintenance");
    co_return kUnavailable;
  }
  if (pool_->grace != nullptr && pool_->grace->holds(worker_.loop().now())) {
    co_await worker_.start_waits().wait(*pool_->grace, worker_.loop(), waiter_);
  }
  co_return kGoesOn;
}

// Of an address, or a name that is looked up.
net::Task<int> Session::make_pool(std::string_view target) {
  const std::string text(target);
  const auto authority = proxy::parse_authority(text, 0);
  if (!authority || (authority->port == 0 && authority->unix_path.empty())) {
    log(LogLevel::error,
        (authority ? "no port in upstream \"" : "invalid upstream \"") + text + "\" of proxy_pass");
    co_return kInternalError;
  }
  std::vector<Endpoint> endpoints;
  if (!authority->unix_path.empty()) {
    endpoints.push_back({{}, std::string(authority->unix_path)});
  } else if (const auto address = IpAddress::parse(authority->host, authority->port)) {
    endpoints.push_back({*address, {}});
  } else {
    auto& resolver = worker_.names().get(request().resolver);
    const auto deadline = worker_.loop().now() + request().resolver_timeout;
    auto found = resolver.known(authority->host);
    if (!found) found = co_await resolver.resolve(authority->host, waiter_, deadline);
    if (!found->ok()) {
      log(LogLevel::error, net::describe(authority->host, found->error));
      co_return kInternalError;
    }
    for (auto& to : found->addresses) {
      to.set_port(authority->port);
      endpoints.push_back({to, {}});
    }
    std::sort(endpoints.begin(), endpoints.end(),
              [](const Endpoint& a, const Endpoint& b) { return comes_before(a.ip, b.ip); });
  }
  dynamic_ = pin_->dynamic().get(text, endpoints);
  pool_ = &dynamic_->node;
  co_return kGoesOn;
}

ProxyProtocol Session::upstream_proxy_protocol() const {
  return pool_->config != nullptr ? pool_->config->proxy_protocol : ProxyProtocol::off;
}

void Session::begin_tries() {
  walk_.reset(client_address_);
  if (pool_->hash_key != nullptr) evaluate(*pool_->hash_key, walk_.begin_key());
  if (pool_->pool->is_random()) walk_.seed(worker_.random());
  upstream::Tries::Rules rules;
  rules.next_upstream = config().options.proxy_next_upstream
                            ? config::next_error | config::next_timeout
                            : config::next_off;
  rules.max_tries = pool_->pool->max_tries();
  const auto& r = request();
  if (r.proxy_next_upstream_tries > 0) {
    rules.max_tries = std::min(rules.max_tries, r.proxy_next_upstream_tries);
  }
  rules.timeout = r.proxy_next_upstream_timeout;
  tries_.begin(rules, worker_.loop().now());
}

upstream::Peer* Session::pick() {
  auto choice = pool_->pool->pick(walk_, worker_.loop().now());
  const bool fail_open = pool_->config != nullptr && pool_->config->unavailable.fail_open;
  if (choice.peer == nullptr && fail_open) choice = pool_->pool->pick_anyway(walk_);
  attempts_.emplace_back();
  auto& record = attempts_.back();
  record.peer = choice.peer;
  record.peer_index = choice.index;
  record.reason = choice.reason;
  record.skipped = choice.skipped;
  record.retry = retry_;
  attempt_began_ = worker_.loop().now();
  if (choice.peer == nullptr) {
    log(LogLevel::error,
        "no live upstreams while connecting to upstream \"" + pool_->pool->name() + "\"");
    return nullptr;
  }
  pool_->stats[choice.index]->of(worker_.index()).connects.add();
  return choice.peer;
}

// `proxy_bind`, `proxy_socket_keepalive`.
Error Session::connect_options(net::ConnectOptions& options) {
  options.keepalive = request().proxy_socket_keepalive;
  const auto& bind = request().proxy_bind;
  if (bind.address.empty()) return {};
  const auto local = text_of(bind.address);
  if (local.empty() || local == "off") return {};
  options.local = IpAddress::parse_with_port(local);
  options.transparent = bind.transparent;
  if (options.local) return {};
  log(LogLevel::error, "invalid local address \"" + local + "\" in proxy_bind");
  return {Errc::local_resources, 0};
}

bool Session::try_again(Error error) {
  auto& record = attempts_.back();
  record.error = error;
  std::string text(info(error.what).text);
  if (error.sys != 0) text += " " + net::errno_text(error.sys);
  if (!record.detail.empty()) text += ": " + record.detail;
  if (error.what != Errc::client_closed && error.what != Errc::shutting_down) {
    log(LogLevel::error, text + " while connecting to upstream");
  }
  upstream::AttemptResult result;
  result.error = error;
  const auto decision = tries_.again(result, worker_.loop().now());
  retry_ = cause_of(error);
  settle(decision.blame, decision.again);
  return decision.again;
}

void Session::peer_connected() {
  auto& record = attempts_.back();
  record.connect = worker_.loop().now() - attempt_began_;
  record.status = kOk;
  const bool counts = pool_->config != nullptr && pool_->config->time_to_connect;
  if (counts) pool_->pool->head_came(walk_, *peer_of(record), record.connect);
}

void Session::peer_answered(std::uint64_t bytes) {
  auto& record = attempts_.back();
  record.received += bytes;
  if (record.header.count() >= 0) return;
  record.header = worker_.loop().now() - attempt_began_;
  const bool counted = pool_->config != nullptr && pool_->config->time_to_connect;
  if (!counted) pool_->pool->head_came(walk_, *peer_of(record), record.header);
}

void Session::end_attempt(upstream::Outcome outcome) { settle(outcome, false); }

upstream::Peer* Session::peer_of(const proxy::AttemptRecord& record) const {
  return pool_->pool->peers()[record.peer_index].get();
}

void Session::settle(upstream::Outcome outcome, bool again) {
  auto& record = attempts_.back();
  record.response = worker_.loop().now() - attempt_began_;
  auto& peer = *peer_of(record);
  const bool by_connect = pool_->config != nullptr && pool_->config->time_to_connect;
  pool_->pool->took(walk_, peer,
                    {by_connect ? record.connect : record.header, record.response,
                     !again && outcome != upstream::Outcome::failure});
  const auto ejected = pool_->pool->done(peer, outcome, worker_.loop().now());
  if (ejected.count() > 0) worker_.log_ejection(*pool_->pool, peer, ejected);
  proxy::count_attempt(pool_->stats[record.peer_index]->of(worker_.index()), record, outcome,
                       again);
}

}  // namespace weir::stream
