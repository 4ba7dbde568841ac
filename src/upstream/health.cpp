#include "upstream/health.h"

#include <algorithm>
#include <utility>

#include "config/regex.h"
#include "tls/context.h"

namespace weir::upstream {

const char* to_string(CheckLayer layer) {
  switch (layer) {
    case CheckLayer::none:
      return "none";
    case CheckLayer::connect:
      return "connect";
    case CheckLayer::tls:
      return "tls";
    case CheckLayer::timeout:
      return "timeout";
    case CheckLayer::response:
      return "response";
    case CheckLayer::status:
      return "status";
    case CheckLayer::header:
      return "header";
    case CheckLayer::body:
      return "body";
    case CheckLayer::ok:
      return "ok";
  }
  return "";
}

namespace {

// With its size before it, so that no text passes for two.
void add_text(std::string& out, std::string_view text) {
  out.append(std::to_string(text.size())).append(":").append(text).append(" ");
}

void add_test(std::string& out, const config::MatchConfig::Test& test) {
  const bool caseless = test.regex != nullptr && test.regex->caseless();
  out += std::to_string(static_cast<int>(test.kind)) + (test.negated ? "!" : "") +
         (caseless ? "*" : "") + " ";
  add_text(out, test.name);
  add_text(out, test.text);
}

void add_match(std::string& out, const config::MatchConfig& match) {
  if (match.status_negated) out += "! ";
  for (const auto& range : match.status) {
    out += std::to_string(range.from) + '-' + std::to_string(range.to) + ' ';
  }
  out += "header ";
  for (const auto& test : match.headers) add_test(out, test);
  out += "require ";
  for (const auto& variable : match.require) {
    out += std::to_string(static_cast<int>(variable.id)) + " ";
    add_text(out, variable.argument);
  }
  out += "body ";
  for (const auto& test : match.body) add_test(out, test);
  add_text(out, match.send);
  if (match.expect) add_test(out, *match.expect);
}

}  // namespace

std::string settings_text(const config::HealthCheckConfig& check) {
  std::string text;
  for (const std::int64_t number :
       {check.interval.count(), check.jitter.count(), check.timeout.count(),
        check.fast_interval.count(), std::int64_t{check.fails}, std::int64_t{check.passes},
        std::int64_t{check.port}, static_cast<std::int64_t>(check.type),
        std::int64_t{check.mandatory}, check.keepalive_time.count(),
        static_cast<std::int64_t>(check.proxy_protocol)}) {
    text += std::to_string(number) + ' ';
  }
  add_match(text, check.match);
  if (check.tls != nullptr) {
    text += check.tls->identity() + (check.tls_announce ? "sni " : " ") + check.tls_name + ' ';
  }
  text += std::to_string(check.grpc_status) + ' ';
  add_text(text, check.grpc_service);
  add_text(text, check.host);
  add_text(text, check.uri);
  return text;
}

bool starts_closed(const config::HealthCheckConfig& check) {
  return check.mandatory || check.grace > Duration{0};
}

HealthMachine::HealthMachine(const config::HealthCheckConfig& config, Random random, TimePoint now,
                             Health earlier)
    : config_(config),
      random_(std::move(random)),
      state_(starts_closed(config) ? Health::checking : Health::unchecked),
      since_(now),
      next_check_(now) {
  if (earlier != Health::up && earlier != Health::down) return;
  state_ = earlier;
  reason_ = "as found by the checks before the reload";
}

std::optional<HealthMachine::Transition> HealthMachine::on_check(const CheckResult& result,
                                                                 TimePoint now) {
  ++checks_;
  last_ = result;
  std::optional<Transition> transition;
  if (result.passed()) {
    fails_in_row_ = 0;
    if (++passes_in_row_ >= config_.passes && state_ != Health::up) {
      transition = change_to(Health::up, passes_in_row_, config_.passes, now);
    }
  } else {
    ++failed_checks_;
    ++failures_[static_cast<std::size_t>(result.layer)];
    passes_in_row_ = 0;
    if (++fails_in_row_ >= config_.fails && state_ != Health::down) {
      transition = change_to(Health::down, fails_in_row_, config_.fails, now);
    }
  }
  next_check_ = now + wait();
  return transition;
}

bool HealthMachine::silent() const {
  return last_.layer == CheckLayer::connect ||
         (last_.layer == CheckLayer::timeout && fails_in_row_ >= 2);
}

std::optional<HealthMachine::Transition> HealthMachine::end_grace(TimePoint now) {
  if (config_.mandatory || state_ != Health::checking || fails_in_row_ > 0) return std::nullopt;
  reason_ = "no verdict within " + std::to_string(config_.grace.count()) + " ms";
  return move_to(Health::unchecked, now);
}

std::optional<HealthMachine::Transition> HealthMachine::change_to(Health to, std::uint32_t count,
                                                                  std::uint32_t wanted,
                                                                  TimePoint now) {
  reason_ = to_string(last_.layer);
  if (!last_.detail.empty()) reason_.append(": ").append(last_.detail);
  reason_ += " (" + std::to_string(count) + "/" + std::to_string(wanted) + ")";
  return move_to(to, now);
}

HealthMachine::Transition HealthMachine::move_to(Health to, TimePoint now) {
  Transition transition{.from = state_, .to = to, .reason = reason_};
  state_ = to;
  since_ = now;
  return transition;
}

bool HealthMachine::is_settled() const { return state_ == Health::up && fails_in_row_ == 0; }

Duration HealthMachine::wait() {
  const Duration base =
      is_settled() ? config_.interval : std::min(config_.interval, config_.fast_interval);
  // At most doubles a short wait: a peer that comes back must not wait for the jitter of the long.
  const Duration jitter = is_settled() ? config_.jitter : std::min(config_.jitter, base);
  if (jitter <= Duration{0}) return base;
  return base + Duration{random_(static_cast<std::uint64_t>(jitter.count()))};
}

}  // namespace weir::upstream
