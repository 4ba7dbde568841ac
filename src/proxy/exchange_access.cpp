// Whether a request may go on: rates, numbers of connections, addresses, passwords, the answer of a
// subrequest. nginx's preaccess and access phases, in its order.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <span>

#include "access/basic.h"
#include "access/password.h"
#include "proxy/exchange.h"
#include "proxy/text.h"
#include "proxy/variables.h"

namespace weir::proxy {
namespace {

constexpr std::size_t kMaxUserFile = 4u << 20;  // bytes

LogLevel lower_level(config::LogLevel level) {
  // nginx logs a delay one level below a refusal.
  return level == config::LogLevel::debug ? LogLevel::debug
                                          : static_cast<LogLevel>(static_cast<int>(level) - 1);
}

// "2.000" of 2000 thousandths.
std::string thousandths(std::int64_t value) {
  std::string text = std::to_string(value / 1000) + ".";
  const auto rest = std::to_string(1000 + value % 1000);
  return text + rest.substr(1);
}

// The values of the keys of a location's limits.
template <class Limits>
class Keys {
 public:
  Keys(Exchange& x, const Limits& limits, const std::vector<config::LimitZone>& zones) {
    texts_.reserve(limits.size());
    for (const auto& limit : limits) {
      auto& text = texts_.emplace_back();
      evaluate(zones[limit.zone].key, x, text);
      views_.push_back(text);
    }
  }
  [[nodiscard]] std::span<const std::string_view> get() const { return views_; }

 private:
  std::vector<std::string> texts_;
  std::vector<std::string_view> views_;
};

}  // namespace

net::Task<Step> Exchange::admit() {
  apply_real_ip(config());
  const auto& tools = location_->tools();
  Step step;
  const bool counts = is_main() && explanation_ == nullptr;
  if (counts && !limited_rate_ && !tools.request_limits.empty()) {
    enter(Phase::limits);
    step = co_await limit_rates();
  }
  if (step.goes_on() && counts && !limited_connections_ && !tools.connection_limits.empty()) {
    enter(Phase::limits);
    step = limit_connections();
  }
  // As in nginx, a subrequest needs no permission of its own.
  if (step.goes_on() && is_main()) {
    enter(Phase::access);
    step = co_await check_access();
  }
  if (step.goes_on() && counts && !config().mirror.empty() && !mirrored_) {
    step = co_await start_mirrors();
  }
  co_return step;
}

// ---- limits
// ----------------------------------------------------------------------------------------

net::Task<Step> Exchange::limit_rates() {
  limited_rate_ = true;
  const auto& c = config();
  const auto& limits = location_->tools().request_limits;
  const auto& zones = runtime().model->limit_zones;
  const Keys keys(*this, c.limit_req, zones);
  const auto decision = access::limit_request(limits, keys.get(), worker_.loop().now());
  using Verdict = access::RequestVerdict;
  limit_req_status_ = access::request_status(decision.verdict, c.limit_req_dry_run);
  if (decision.verdict == Verdict::unlimited || decision.verdict == Verdict::passed) {
    co_return Step{};
  }
  const std::string dry = c.limit_req_dry_run ? ", dry run" : "";
  const std::string& zone = zones[c.limit_req[decision.limit].zone].name;
  if (decision.verdict == Verdict::rejected) {
    if (decision.out_of_memory) {
      log(LogLevel::alert, "limit_req: no room in zone \"" + zone + "\"");
    } else {
      log(static_cast<LogLevel>(c.limit_req_log_level),
          "limiting requests" + dry + ", excess: " + thousandths(decision.excess) + " by zone \"" +
              zone + "\"");
    }
    if (c.limit_req_dry_run) co_return Step{};
    worker_.mutable_stats().requests_refused.add();
    co_return Step::answer_with(static_cast<int>(c.limit_req_status));
  }
  log(lower_level(c.limit_req_log_level), "delaying request" + dry +
                                              ", excess: " + thousandths(decision.excess) +
                                              ", by zone \"" + zone + "\"");
  if (c.limit_req_dry_run) co_return Step{};
  worker_.mutable_stats().requests_delayed.add();
  const auto until = worker_.loop().now() + decision.wait;
  while (worker_.loop().now() < until) {
    if (client_gone()) {
      fail({Errc::client_closed, 0});
      co_return give_up(error_);
    }
    const net::Interest hang_up(client_slot(), waiter());
    if (co_await waiter().wait(until) == net::Wake::cancelled) {
      fail({Errc::shutting_down, 0});
      co_return give_up(error_);
    }
  }
  co_return Step{};
}

Step Exchange::limit_connections() {
  limited_connections_ = true;
  const auto& c = config();
  const auto& zones = runtime().model->limit_zones;
  const Keys keys(*this, c.limit_conn, zones);
  const auto decision = access::limit_connections(location_->tools().connection_limits, keys.get(),
                                                  connection_leases_);
  limit_conn_status_ = access::connection_status(decision.verdict, c.limit_conn_dry_run);
  if (decision.verdict != access::ConnectionVerdict::rejected) return {};
  log(static_cast<LogLevel>(c.limit_conn_log_level),
      std::string("limiting connections") + (c.limit_conn_dry_run ? ", dry run," : "") +
          " by zone \"" + zones[c.limit_conn[decision.limit].zone].name + "\"");
  if (c.limit_conn_dry_run) return {};
  worker_.mutable_stats().connections_refused.add();
  return Step::answer_with(static_cast<int>(c.limit_conn_status));
}

// ---- access
// ----------------------------------------------------------------------------------------

// nginx's `satisfy`: all of the checks, or any one of them.
net::Task<Step> Exchange::check_access() {
  const bool any = config().satisfy == config::Satisfy::any;
  int refused = 0;
  for (int check = 0; check < 3; ++check) {
    Access access;
    // Not as one expression: g++ 12 would await in each case.
    if (check == 0) {
      access = check_address();
    } else if (check == 1) {
      access = check_password();
    } else if (explanation_ == nullptr) {
      access = co_await check_subrequest();
    } else if (!config().auth_request.empty()) {
      note("auth_request " + config().auth_request + " is not asked");
    }
    if (access.verdict == Access::Verdict::undecided) continue;
    if (access.verdict == Access::Verdict::allowed) {
      if (!any) continue;
      answer_.remove("WWW-Authenticate");
      co_return Step{};
    }
    if (!any || (access.status != 401 && access.status != 403)) {
      co_return co_await refuse(access.status);
    }
    if (refused != 401) refused = access.status;
  }
  if (refused == 0) co_return Step{};
  co_return co_await refuse(refused);
}

net::Task<Step> Exchange::refuse(int status) {
  if (!error_.ok()) co_return give_up(error_);
  if (status == 403) log(LogLevel::error, "access forbidden by rule");
  if (status == 401 && config().auth_delay.count() > 0 && explanation_ == nullptr) {
    const auto until = worker_.loop().now() + config().auth_delay;
    while (worker_.loop().now() < until && !client_gone()) {
      const net::Interest hang_up(client_slot(), waiter());
      if (co_await waiter().wait(until) == net::Wake::cancelled) break;
    }
  }
  co_return Step::answer_with(status);
}

Exchange::Access Exchange::check_address() {
  switch (location_->tools().acl.check(client_address())) {
    case access::Access::undecided:
      return {};
    case access::Access::allowed:
      return {Access::Verdict::allowed, 0};
    case access::Access::denied:
      return {Access::Verdict::refused, 403};
  }
  return {};
}

Exchange::Access Exchange::check_password() {
  if (config().auth_basic.empty()) return Access{};
  std::string realm;
  evaluate(config().auth_basic, *this, realm);
  if (realm == "off") return Access{};
  const Access unauthorized{Access::Verdict::refused, 401};
  const auto* field = request().find(http::FieldId::authorization);
  const auto credentials =
      field != nullptr ? access::parse_basic(request().value(*field)) : std::nullopt;
  if (!credentials) {
    log(LogLevel::info, "no user/password was provided for basic authentication");
    answer_.set("WWW-Authenticate", access::basic_challenge(realm));
    return unauthorized;
  }
  std::string path;
  evaluate(config().auth_basic_user_file, *this, path);
  if (!path.starts_with('/')) path.insert(0, runtime().model->directory);
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    const int error = errno;
    log(LogLevel::error, "open() \"" + path + "\" failed (" + std::to_string(error) + ": " +
                             std::strerror(error) + ")");
    return Access{Access::Verdict::refused, error == ENOENT ? 403 : 500};
  }
  std::string users(kMaxUserFile, '\0');
  file.read(users.data(), static_cast<std::streamsize>(users.size()));
  users.resize(static_cast<std::size_t>(file.gcount()));
  const auto stored = access::find_user(users, credentials->user);
  if (!stored) {
    log(LogLevel::error, "user \"" + credentials->user + "\" was not found in \"" + path + "\"");
  } else {
    const auto verdict = access::verify_password(credentials->password, *stored);
    if (verdict == access::PasswordVerdict::match) return Access{Access::Verdict::allowed, 0};
    if (verdict == access::PasswordVerdict::unusable) {
      log(LogLevel::error, "the password of user \"" + credentials->user + "\" in \"" + path +
                               "\" is of a kind that cannot be checked");
      return Access{Access::Verdict::refused, 500};
    }
    log(LogLevel::error, "user \"" + credentials->user + "\": password mismatch");
  }
  answer_.set("WWW-Authenticate", access::basic_challenge(realm));
  return unauthorized;
}

// `auth_request`: 2xx lets the request in, 401 and 403 refuse it, anything else is an error.
net::Task<Exchange::Access> Exchange::check_subrequest() {
  if (config().auth_request.empty()) co_return Access{};
  const auto& c = config();
  Exchange& sub = *worker_.take_exchange();
  const std::string_view uri = c.auth_request;
  const auto mark = uri.find('?');
  Subrequest how;
  how.uri = uri.substr(0, mark);
  if (mark != std::string_view::npos) how.args = uri.substr(mark + 1);
  co_await sub.run_below(*this, how);
  for (const auto& set : c.auth_request_set) {
    std::string text;
    evaluate(set.value, sub, text);
    assign(set.variable, text);
  }
  const int status = sub.status();
  Access access{Access::Verdict::allowed, 0};
  if (sub.error_.what == Errc::client_closed || sub.error_.what == Errc::shutting_down) {
    fail(sub.error_);
    access = {Access::Verdict::refused, 500};
  } else if (status == 403 || status == 401) {
    access = {Access::Verdict::refused, status};
    if (status == 401) copy_challenge(sub);
  } else if (status < 200 || status >= 300) {
    log(LogLevel::error, "auth request unexpected status: " + std::to_string(status));
    access = {Access::Verdict::refused, 500};
  }
  sub.release();
  worker_.give_exchange(&sub);
  co_return access;
}

void Exchange::copy_challenge(const Exchange& sub) {
  answer_.remove("WWW-Authenticate");
  if (sub.has_response_) {
    for (const auto& field : sub.response_.fields) {
      if (!equal_ignoring_case(sub.response_.name(field), "www-authenticate")) continue;
      answer_.add("WWW-Authenticate", sub.response_.value(field));
    }
  } else if (const auto* challenge = sub.answer_.find("WWW-Authenticate")) {
    answer_.add("WWW-Authenticate", *challenge);
  }
}

}  // namespace weir::proxy
