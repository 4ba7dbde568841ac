#include "probe/prober.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

#include "probe/check.h"

namespace weir::probe {

using upstream::HealthMachine;

struct Prober::Shared {
  boost::asio::io_context& io;
  const Clock& clock;
  HealthMachine::Random random;
  Hooks hooks;
};

// The checks of one peer: a timer and at most one check, by turns.
class Prober::Probe : public std::enable_shared_from_this<Probe> {
 public:
  Probe(std::shared_ptr<Shared> shared, Target target)
      : shared_(std::move(shared)),
        target_(std::move(target)),
        settings_(upstream::settings_text(target_.check)),
        machine_(target_.check, *target_.peer, shared_->random, shared_->clock.now()),
        timer_(shared_->io),
        grace_timer_(shared_->io) {}

  void start(Duration delay) {
    wait(delay);
    if (target_.check.grace <= Duration{0}) return;
    grace_timer_.expires_after(target_.check.grace);
    grace_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error && !self->stopped_) {
        self->tell(self->machine_.end_grace(self->shared_->clock.now()));
      }
    });
  }

  void wait(Duration time) {
    timer_.expires_after(std::max(time, Duration{0}));
    timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error && !self->stopped_) self->begin();
    });
  }
  void stop() {
    stopped_ = true;
    timer_.cancel();
    grace_timer_.cancel();
    if (check_) check_->cancel();
    check_.reset();
    kept_.reset();
  }

  [[nodiscard]] bool is_for(const Target& target) const {
    return target_.peer == target.peer && settings_ == upstream::settings_text(target.check);
  }
  void set_pool(std::string pool) { target_.pool = std::move(pool); }
  [[nodiscard]] const Target& target() const { return target_; }
  [[nodiscard]] const HealthMachine& machine() const { return machine_; }

 private:
  void begin() {
    // The check holds the probe, and the probe the check, until the check is over.
    check_ = std::make_shared<Check>(
        shared_->io, target_.check, target_.peer->spec, std::move(kept_),
        [self = shared_from_this()](upstream::CheckResult result) { self->end(result); });
    check_->start();
  }
  void tell(const std::optional<HealthMachine::Transition>& transition) {
    if (transition && shared_->hooks.on_transition) {
      shared_->hooks.on_transition(target_, *transition);
    }
  }
  void end(const upstream::CheckResult& result) {
    kept_ = check_->take_connection();
    check_.reset();
    if (result.layer == upstream::CheckLayer::none) {
      // No verdict. Time and again, but not at once: what is lacking may take time to come.
      wait(std::min(target_.check.interval, target_.check.fast_interval));
    } else {
      const auto transition = machine_.on_check(result, shared_->clock.now());
      wait(machine_.next_check() - shared_->clock.now());
      tell(transition);
    }
    // The hook above may have taken this peer out.
    if (!stopped_ && shared_->hooks.on_result) shared_->hooks.on_result(target_, result);
  }

  std::shared_ptr<Shared> shared_;
  Target target_;
  std::string settings_;
  HealthMachine machine_;
  boost::asio::steady_timer timer_;
  boost::asio::steady_timer grace_timer_;
  std::shared_ptr<Check> check_;
  std::shared_ptr<Connection> kept_;  // between two checks
  bool stopped_ = false;
};

Prober::Prober(boost::asio::io_context& io, const Clock& clock, HealthMachine::Random random,
               Hooks hooks)
    : shared_(std::make_shared<Shared>(Shared{
          .io = io, .clock = clock, .random = std::move(random), .hooks = std::move(hooks)})) {}

Prober::~Prober() { stop(); }

void Prober::set_targets(std::vector<Target> targets) {
  std::vector<std::shared_ptr<Probe>> old = std::exchange(probes_, {});
  // New peers are not all asked in the same millisecond.
  Duration delay{0};
  for (Target& target : targets) {
    const auto same = std::find_if(old.begin(), old.end(), [&target](const auto& probe) {
      return probe && probe->is_for(target);
    });
    if (same != old.end()) {
      (*same)->set_pool(std::move(target.pool));
      probes_.push_back(std::exchange(*same, nullptr));
      continue;
    }
    probes_.push_back(std::make_shared<Probe>(shared_, std::move(target)));
    probes_.back()->start(delay);
    delay = std::min(delay + Duration{1}, probes_.back()->target().check.interval);
  }
  by_peer_.clear();
  for (const auto& probe : probes_) by_peer_.try_emplace(probe->target().peer.get(), probe.get());
  for (const auto& probe : old) {
    if (probe) probe->stop();
  }
}

std::vector<Prober::Snapshot> Prober::snapshot() const {
  std::vector<Snapshot> result;
  result.reserve(probes_.size());
  for (const auto& probe : probes_) {
    const HealthMachine& machine = probe->machine();
    result.push_back({.pool = probe->target().pool,
                      .peer = probe->target().peer->text,
                      .state = probe->target().peer->health.load(std::memory_order_relaxed),
                      .since = machine.since(),
                      .reason = machine.reason(),
                      .last = machine.last(),
                      .checks = machine.checks(),
                      .failed_checks = machine.failed_checks()});
  }
  return result;
}

const HealthMachine* Prober::find(const upstream::Peer& peer) const {
  const auto found = by_peer_.find(&peer);
  return found != by_peer_.end() ? &found->second->machine() : nullptr;
}

std::string log_line(const Target& target, const HealthMachine::Transition& transition) {
  return "peer " + target.peer->text + " of \"" + target.pool + "\" " +
         upstream::to_string(transition.to) + ": " + transition.reason;
}

}  // namespace weir::probe
