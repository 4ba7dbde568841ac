// The machine behind an active check of a peer: counts results, decides states, says when to check
// next. Pure: takes `now` and results, does no I/O. Control thread only; PeerHealth owns it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"
#include "config/model.h"
#include "upstream/peer.h"

namespace weir::upstream {

// The layer at which a check ended, as haproxy tells it.
enum class CheckLayer : std::uint8_t {
  none,      // it could not be made
  connect,   // no connection
  tls,       // no handshake, or a certificate that is not trusted
  timeout,   // at any step
  response,  // broken off, garbage, or not what `expect` wants
  status,    // HTTP's, or gRPC's
  header,    // a field of the answer
  body,      // of the answer
  ok,        // passed
};
// Those at which a check may fail.
inline constexpr std::array kFailureLayers = {
    CheckLayer::connect, CheckLayer::tls,    CheckLayer::timeout, CheckLayer::response,
    CheckLayer::status,  CheckLayer::header, CheckLayer::body};
[[nodiscard]] const char* to_string(CheckLayer layer);

struct CheckResult {
  CheckLayer layer = CheckLayer::none;  // ok: passed
  std::uint16_t status = 0;             // HTTP status, if there was one
  std::string detail{};                 // "connection refused", "got 503, want 200"
  Duration took{0};
  [[nodiscard]] bool passed() const { return layer == CheckLayer::ok; }
};

// The settings of a check as text: checks are the same if and only if their texts are. (What
// requests do meanwhile, the grace, is none of them.)
[[nodiscard]] std::string settings_text(const config::HealthCheckConfig& check);

// Whether peers get no request before a check has passed, or the grace has.
[[nodiscard]] bool starts_closed(const config::HealthCheckConfig& check);

class HealthMachine {
 public:
  // `random(n)` gives 0 .. n-1; for jitter.
  using Random = std::function<std::uint64_t(std::uint64_t)>;
  // `earlier`: what other checks had found of the peer before; up or down it stays, until these
  // have their own verdict.
  HealthMachine(const config::HealthCheckConfig& config, Random random, TimePoint now,
                Health earlier = Health::unchecked);

  struct Transition {
    Health from;
    Health to;
    std::string reason;  // "connect: connection refused (2/2)"
  };
  // Takes a check's result. A transition is returned once.
  std::optional<Transition> on_check(const CheckResult& result, TimePoint now);
  // The grace of the check has passed since the start: a peer of which nothing bad was heard gets
  // requests, unless it is mandatory that it passes.
  std::optional<Transition> end_grace(TimePoint now);
  // When the next check is due; the first is due at once. Waits are short while the state is
  // changing or unknown, and while the peer is down.
  [[nodiscard]] TimePoint next_check() const { return next_check_; }

  [[nodiscard]] Health state() const { return state_; }
  // Nobody answers there: requests in progress need not wait. One check that was too late is not
  // enough to say so, since the peer may only be busy.
  [[nodiscard]] bool silent() const;

  // For status pages.
  [[nodiscard]] TimePoint since() const { return since_; }  // of the present state
  [[nodiscard]] const std::string& reason() const { return reason_; }
  [[nodiscard]] const CheckResult& last() const { return last_; }
  [[nodiscard]] std::uint64_t checks() const { return checks_; }
  [[nodiscard]] std::uint64_t failed_checks() const { return failed_checks_; }
  [[nodiscard]] std::uint64_t failed_checks(CheckLayer layer) const {
    return failures_[static_cast<std::size_t>(layer)];
  }

 private:
  std::optional<Transition> change_to(Health to, std::uint32_t count, std::uint32_t wanted,
                                      TimePoint now);
  Transition move_to(Health to, TimePoint now);
  [[nodiscard]] bool is_settled() const;
  [[nodiscard]] Duration wait();

  config::HealthCheckConfig config_;
  Random random_;
  Health state_;
  TimePoint since_;
  TimePoint next_check_;
  std::string reason_;
  CheckResult last_;
  std::uint32_t passes_in_row_ = 0;
  std::uint32_t fails_in_row_ = 0;
  std::uint64_t checks_ = 0;
  std::uint64_t failed_checks_ = 0;
  std::array<std::uint64_t, static_cast<std::size_t>(CheckLayer::ok) + 1> failures_{};
};

}  // namespace weir::upstream
