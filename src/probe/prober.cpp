#include "probe/prober.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <utility>

#include "probe/check.h"

namespace weir::probe {

using upstream::HealthMachine;
using upstream::PeerHealth;

struct Prober::Shared {
  boost::asio::io_context& io;
  const Clock& clock;
  HealthMachine::Random random;
  Hooks hooks;
};

// The checks of one peer; of each a timer and at most one under way, by turns.
class Prober::Probe : public std::enable_shared_from_this<Probe> {
 public:
  Probe(std::shared_ptr<Shared> shared, Target target)
      : shared_(std::move(shared)),
        target_(std::move(target)),
        settings_(settings_of(target_)),
        health_(target_.checks, *target_.peer, shared_->random, shared_->clock.now()) {
    for (const auto& check : target_.checks) courses_.emplace_back(check, shared_->io);
  }

  void start(Duration delay) {
    for (std::size_t i = 0; i < courses_.size(); ++i) {
      wait(i, delay);
      const auto grace = courses_[i].config.grace;
      if (grace <= Duration{0}) continue;
      auto& timer = courses_[i].grace_timer;
      timer.expires_after(grace);
      timer.async_wait([self = shared_from_this(), i](const boost::system::error_code& error) {
        if (!error && !self->stopped_) {
          self->tell(self->health_.end_grace(i, self->shared_->clock.now()));
        }
      });
    }
  }
  void stop() {
    stopped_ = true;
    for (auto& course : courses_) {
      course.timer.cancel();
      course.grace_timer.cancel();
      if (course.check) course.check->cancel();
      course.check.reset();
      course.kept.reset();
    }
  }

  [[nodiscard]] bool is_for(const Target& target) const {
    return target_.peer == target.peer && settings_ == settings_of(target);
  }
  void set_pool(std::string pool) { target_.pool = std::move(pool); }
  [[nodiscard]] const Target& target() const { return target_; }
  [[nodiscard]] const PeerHealth& health() const { return health_; }

 private:
  // One of the checks, from time to time.
  struct Course {
    Course(const config::HealthCheckConfig& config_, boost::asio::io_context& io)
        : config(config_), timer(io), grace_timer(io) {}
    const config::HealthCheckConfig& config;  // target_'s
    boost::asio::steady_timer timer;
    boost::asio::steady_timer grace_timer;
    std::shared_ptr<Check> check{};
    std::shared_ptr<Connection> kept{};  // between two checks
  };

  static std::string settings_of(const Target& target) {
    std::string out;
    for (const auto& check : target.checks) out += upstream::settings_text(check) + '\0';
    return out;
  }
  void wait(std::size_t i, Duration time) {
    auto& timer = courses_[i].timer;
    timer.expires_after(std::max(time, Duration{0}));
    timer.async_wait([self = shared_from_this(), i](const boost::system::error_code& error) {
      if (!error && !self->stopped_) self->begin(i);
    });
  }
  void begin(std::size_t i) {
    auto& course = courses_[i];
    // The check holds the probe, and the probe the check, until the check is over.
    course.check = std::make_shared<Check>(
        shared_->io, course.config, target_.peer->spec, std::move(course.kept),
        [self = shared_from_this(), i](upstream::CheckResult result) { self->end(i, result); });
    course.check->start();
  }
  void tell(const std::optional<PeerHealth::Transition>& transition) {
    if (transition && shared_->hooks.on_transition) {
      shared_->hooks.on_transition(target_, *transition);
    }
  }
  void end(std::size_t i, const upstream::CheckResult& result) {
    auto& course = courses_[i];
    course.kept = course.check->take_connection();
    course.check.reset();
    if (result.layer == upstream::CheckLayer::none) {
      // No verdict. Time and again, but not at once: what is lacking may take time to come.
      wait(i, std::min(course.config.interval, course.config.fast_interval));
    } else {
      const auto transition = health_.on_check(i, result, shared_->clock.now());
      wait(i, health_.machines()[i].next_check() - shared_->clock.now());
      tell(transition);
    }
    // The hook above may have taken this peer out.
    if (!stopped_ && shared_->hooks.on_result) shared_->hooks.on_result(target_, result);
  }

  std::shared_ptr<Shared> shared_;
  Target target_;
  std::string settings_;
  PeerHealth health_;
  std::deque<Course> courses_;  // by check
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
    delay = std::min(delay + Duration{1}, probes_.back()->target().checks.front().interval);
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
    const PeerHealth& health = probe->health();
    result.push_back({.pool = probe->target().pool,
                      .peer = probe->target().peer->text,
                      .state = probe->target().peer->health.load(std::memory_order_relaxed),
                      .since = health.since(),
                      .reason = health.reason(),
                      .last = health.last(),
                      .checks = health.checks(),
                      .failed_checks = health.failed_checks()});
  }
  return result;
}

const PeerHealth* Prober::find(const upstream::Peer& peer) const {
  const auto found = by_peer_.find(&peer);
  return found != by_peer_.end() ? &found->second->health() : nullptr;
}

std::string log_line(const Target& target, const PeerHealth::Transition& transition) {
  return "peer " + target.peer->text + " of \"" + target.pool + "\" " +
         upstream::to_string(transition.to) + ": " + transition.reason;
}

}  // namespace weir::probe
