#include "main/engine.h"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "config/acme_names.h"
#include "net/random.h"
#include "proxy/trace_exporter.h"
#include "stream/hooks.h"

namespace weir::main {
namespace {

constexpr Duration kDrainPoll{20};
constexpr Duration kRetirePoll{200};

// Of the operators' Unix socket; empty: there is none.
std::string control_text(const config::Model& model, const Program& program) {
  const auto settings = settings_of(model, program);
  return settings.control_path.empty() ? std::string() : control_listen(settings).text;
}

std::vector<std::string> admin_texts(const config::Model& model, const Program& program) {
  std::vector<std::string> texts = {control_text(model, program)};
  if (!model.admin) return texts;
  for (const auto& listen : model.admin->listens) texts.push_back(listen.text);
  return texts;
}

std::string first_error(const config::LoadResult& loaded) {
  for (const auto& diagnostic : loaded.diagnostics) {
    if (diagnostic.severity == config::Diagnostic::Severity::error) return diagnostic.text();
  }
  return "the configuration cannot be read";
}

bool contains(const std::vector<std::string>& texts, const std::string& text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

}  // namespace

Engine::Engine(boost::asio::io_context& io, Configurator::Options options, Log& log,
               LogFiles& files)
    : io_(io),
      options_(std::move(options)),
      log_(log),
      files_(files),
      names_(io, {.clock = &clock_},
             [this] { peers_changed("addresses of host names have changed"); }),
      registries_(io, clock_, log, net::pseudo_random(),
                  [this] { peers_changed("nodes of a registry have changed"); }),
      asker_(io, log),
      acme_(log, challenges_, [this](const std::string& path, const std::string& text) {
        boost::asio::post(io_, [this, path, text] { keep(path, text); });
      }) {
  options_.load.tls = std::make_shared<tls::SharedState>();
  builder_.set_log_files(files_);
  builder_.set_operators(operators_);
  set_up();
}

Engine::~Engine() {
  for (auto& worker : workers_) worker->stop();
  for (auto& worker : workers_) worker->join();
}

void Engine::set_up() {
  probe::Prober::Hooks hooks;
  hooks.on_transition = [this](const probe::Target& target,
                               const upstream::PeerHealth::Transition& transition) {
    const bool worse = transition.to == upstream::Health::down;
    log_.write(worse ? LogLevel::error : LogLevel::notice, probe::log_line(target, transition));
    if (transition.to == upstream::Health::up) first_may_be_ready(target);
    for (auto& worker : workers_) worker->peers_changed();
  };
  hooks.on_result = [this](const probe::Target& target, const upstream::CheckResult& result) {
    // It may be known to be gone only now, some time after it went down.
    if (result.passed() || !target.peer->gone.load(std::memory_order_relaxed)) return;
    for (auto& worker : workers_) worker->peers_changed();
  };
  prober_ = std::make_unique<probe::Prober>(io_, clock_, net::pseudo_random(), hooks);
  // Nobody waits here for the addresses of a node's host name: they are looked up aside.
  builder_.set_registry_peers([this](const config::UpstreamConfig& upstream) {
    return registries_.peers(upstream,
                             [this](const auto& question) { return names_.known(question); });
  });
  admin_ = std::make_unique<admin::Server>(io_, admin_source());
}

admin::Source Engine::admin_source() {
  admin::Source source;
  source.runtime = [this] { return runtime_; };
  source.workers = [this] {
    std::vector<const proxy::WorkerStats*> stats;
    for (const auto& one : stats_) stats.push_back(one.get());
    return stats;
  };
  source.prober = prober_.get();
  source.clock = &clock_;
  source.log = &log_;
  source.draining = [this] { return draining_; };
  source.reloads = [this] { return reloads_; };
  source.operators = &operators_;
  source.orders = [this] {
    std::vector<admin::Source::Order> out;
    for (auto& status : acme_.status()) {
      out.push_back({std::move(status.path), std::move(status.issuer), std::move(status.names),
                     status.next, std::move(status.error)});
    }
    return out;
  };
  source.certificate_problems = [this] { return certificate_problems_; };
  source.changed = [this](admin::Effect effect, Done done) {
    operators_changed(effect, std::move(done));
  };
  source.explain = [this](proxy::Question question, auto done) {
    workers_.front()->explain(std::move(question), [this, done](const auto& explanation) {
      boost::asio::post(io_, [done, explanation] { done(explanation); });
    });
  };
  source.token = [this] {
    return model_ != nullptr && model_->admin ? model_->admin->token : std::string();
  };
  source.hosts = [this] {
    return model_ != nullptr && model_->admin ? model_->admin->hosts : std::vector<std::string>();
  };
  source.names = [this] { return names_.status(); };
  source.registry = [this](const std::string& upstream) { return registries_.status(upstream); };
  source.name_counts = [this] { return names_.counts(); };
  source.started = clock_.wall();
  source.version = WEIR_VERSION;
  return source;
}

// ---- a configuration
// -----------------------------------------------------------------------------------

void Engine::apply(Handover handover, Done done) {
  const auto loaded = std::make_shared<const config::LoadResult>(
      config::load(options_.config_path, replaying(options_.load, handover.bundle)));
  if (loaded->model == nullptr) return done(first_error(*loaded));
  // Names that are new and nodes of registries are asked for first: else there were a moment
  // without peers. A renewed certificate is no reason to ask for the others again.
  const auto kept = std::make_shared<Handover>(std::move(handover));
  names_.prepare(discovery::questions(*loaded->model), !kept->renewal,
                 [this, kept, loaded, done = std::move(done)] {
                   if (stopped_) return;
                   registries_.prepare(*loaded->model, [this, kept, loaded, done] {
                     if (!stopped_) take_over(*kept, *loaded, done);
                   });
                 });
}

void Engine::take_over(Handover& handover, const config::LoadResult& loaded, Done done) {
  std::string damage;
  if (!std::exchange(restored_, true)) damage = restore_state(handover.state, *loaded.model);
  builder_.set_workers(std::max<std::size_t>(workers_.size(), loaded.model->workers));
  auto built = build(loaded.model);
  auto files_before = files_.exchange(handover.logs);
  auto error = log_.configure(error_logs_of(*loaded.model, options_.program, options_.error_log));
  if (!error.empty()) {
    files_.exchange(std::move(files_before));
    builder_.discard();
    registries_.discard();
    return done(error);
  }

  // From here on nothing can fail.
  if (!damage.empty()) log_.error(damage);
  builder_.commit(clock_.now());
  registries_.commit();
  forget_later();
  const auto before = std::exchange(model_, loaded.model);
  journals_.clear();
  for (const auto& issuer : model_->acme_issuers) {
    const auto* file = handover.bundle->find(config::acme_journal(issuer));
    if (file != nullptr) journals_[issuer.name] = file->content;
  }
  const auto generation = runtime_ != nullptr ? runtime_->generation : 0;
  runtime_ = watched(std::move(built.runtime));
  retire_timer_.cancel();
  set_workers(model_->workers);
  auto sockets = spread(handover, *model_);
  set_admin_listeners(handover);
  set_holds();
  set_targets();
  watch_names();
  reloads_.generation = runtime_->generation;
  if (!handover.renewal) {
    reloads_.last_ok = true;
    reloads_.last_at = clock_.wall();
    reloads_.last_error.clear();
  }
  look_at_expiry();
  // A certificate that is renewed ends no connection.
  if (!handover.renewal && before != nullptr && before->shutdown_timeout.count() > 0) {
    cut_later(generation, before->shutdown_timeout);
  }
  switch_workers(std::move(sockets), std::move(done));
}

proxy::RuntimeBuilder::Result Engine::build(std::shared_ptr<const config::Model> model) {
  auto built = builder_.build(
      model, [this](const auto& question) { return names_.known(question); }, clock_.now());
  for (const auto& line : built.unresolved) log_.write(LogLevel::warn, line);
  return built;
}

// Peers have come, gone or moved.
void Engine::peers_changed(const std::string& what) {
  if (draining_ || runtime_ == nullptr) return;
  log_.notice(what);
  rebuild([] {});
}

// The same configuration with other pools: names have other addresses, or operators have changed a
// weight. `done`: all workers serve it.
void Engine::rebuild(std::function<void()> done) {
  rebuilt_.push_back(std::move(done));
  if (applying_) {
    rebuild_waiting_ = true;
    return;
  }
  rebuild_waiting_ = false;
  auto built = build(model_);
  builder_.commit(clock_.now());
  forget_later();
  runtime_ = watched(std::move(built.runtime));
  set_holds();
  set_targets();
  watch_names();
  reloads_.generation = runtime_->generation;
  log_.notice("generation " + std::to_string(reloads_.generation) + " has other peers or weights");
  const auto in_force = when_all([waiting = std::exchange(rebuilt_, {})] {
    for (const auto& each : waiting) each();
  });
  for (auto& worker : workers_) worker->use(runtime_, in_force);
}

void Engine::watch_names() {
  auto questions = discovery::questions(*model_);
  for (const auto& host : registries_.host_names()) questions.push_back({.host = host});
  names_.watch(questions);
}

// Addresses that have vanished keep their places for a while.
void Engine::forget_later() {
  const auto next = builder_.next_forgotten();
  forget_timer_.cancel();
  if (next == TimePoint::max()) return;
  forget_timer_.expires_after(std::max(next - clock_.now(), Duration{1000}));
  forget_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) peers_changed("an address is forgotten");
  });
}

// Workers that are too many accept no more, and go when their last connection has ended.
void Engine::set_workers(std::size_t count) {
  while (workers_.size() < count) {
    const auto index = workers_.size();
    if (stats_.size() <= index) {
      const std::lock_guard lock(stats_mutex_);
      stats_.push_back(std::make_shared<proxy::WorkerStats>());
    }
    proxy::Worker::Options options;
    options.index = static_cast<std::uint32_t>(index);
    options.next_connection_id = [this] { return ++connection_ids_; };
    options.stats = stats_[index];
    options.guests = stream::hooks();
    options.challenges = challenges_.get();
    options.connection_counts = [this] {
      const std::lock_guard lock(stats_mutex_);
      proxy::ConnectionCounts counts;
      for (const auto& stats : stats_) counts.add(*stats);
      return counts;
    };
    workers_.push_back(std::make_unique<proxy::Worker>(options, clock_, log_, files_));
  }
  active_ = count;
}

// Each worker accepts from sockets of its own; where there are fewer, several share one.
Engine::SocketsByWorker Engine::spread(Handover& handover, const config::Model& model) const {
  const auto admins = admin_texts(model, options_.program);
  auto& all = handover.sockets;
  std::vector<std::uint64_t> ids;
  for (const auto& socket : all) ids.push_back(socket.id);
  SocketsByWorker out(workers_.size());
  for (auto& sockets : out) sockets.all = ids;
  for (std::size_t from = 0, to = 0; from < all.size(); from = to) {
    const auto& text = all[from].text;
    while (to < all.size() && all[to].text == text) ++to;
    if (contains(admins, text)) continue;
    const auto count = to - from;
    for (std::size_t i = 0; i < std::max(count, active_); ++i) {
      const auto& socket = all[from + i % count];
      out[i % active_].own.push_back(
          {socket.text, socket.id, socket.fd.duplicate(), socket.exclusive});
    }
  }
  return out;
}

// Tells in the log when the last request that began under a runtime has ended: nginx's users wait
// for the end of its worker processes after a reload.
std::shared_ptr<const proxy::Runtime> Engine::watched(
    std::shared_ptr<const proxy::Runtime> runtime) {
  const auto* raw = runtime.get();
  const auto generation = raw->generation;
  return {raw, [this, generation, held = std::move(runtime)](const proxy::Runtime*) mutable {
            held.reset();
            boost::asio::post(io_, [this, generation] {
              if (draining_) return;
              log_.notice("worker generation " + std::to_string(generation) + " of process " +
                          std::to_string(::getpid()) + " exited with code 0");
            });
          }};
}

std::function<void()> Engine::when_all(std::function<void()> then) {
  auto left = std::make_shared<std::atomic<std::size_t>>(workers_.size());
  return [this, left, then = std::move(then)] {
    if (left->fetch_sub(1, std::memory_order_acq_rel) == 1) boost::asio::post(io_, then);
  };
}

void Engine::switch_workers(SocketsByWorker sockets, Done done) {
  applying_ = true;
  const auto finished = when_all([this, done = std::move(done)] {
    applying_ = false;
    log_.notice("generation " + std::to_string(reloads_.generation) + " is in force");
    retire_idle_workers();
    if (rebuild_waiting_) rebuild([] {});
    done({});
    if (draining_) return;
    acme_.use(model_, journals_);
    asker_.use(*model_);
  });
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    workers_[i]->use(runtime_, std::move(sockets[i]), finished);
    // Files are opened anew with each configuration.
    if (i < started_) workers_[i]->reopen_logs();
  }
  for (; started_ < workers_.size(); ++started_) workers_[started_]->start();
}

void Engine::set_admin_listeners(Handover& handover) {
  const auto admins = admin_texts(*model_, options_.program);
  std::vector<admin::Server::Listening> listeners;
  for (auto& socket : handover.sockets) {
    const bool trusted = socket.text == admins.front();
    if (contains(admins, socket.text)) listeners.push_back({socket.fd.release(), trusted});
  }
  admin_->set_listeners(std::move(listeners));
}

void Engine::set_targets() {
  std::vector<probe::Target> targets;
  for (std::size_t i = 0; i < runtime_->pools.size(); ++i) {
    const auto& config = runtime_->model->upstreams[i];
    for (const auto& peer : runtime_->pools[i].pool->peers()) {
      if (!config.health_checks.empty()) {
        if (peer->spec.down) continue;
        targets.push_back({config.name, peer, config.health_checks});
        for (auto& check : targets.back().checks) check.mandatory |= peer->spec.newcomer;
      } else {
        // A reload may have taken the check away: its verdict goes with it.
        peer->health.store(upstream::Health::unchecked, std::memory_order_relaxed);
      }
    }
  }
  prober_->set_targets(std::move(targets));
  end_first_without_checks();
}

void Engine::look_at_expiry() {
  constexpr std::chrono::minutes kEvery{10};
  for (const auto& warning : expiry_.at(model_->certificates, clock_.wall())) {
    log_.write(warning.level, warning.text);
  }
  expiry_timer_.expires_after(kEvery);
  expiry_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && !stopped_) look_at_expiry();
  });
}

void Engine::keep(const std::string& path, const std::string& text) {
  const auto done = [this, path](const std::string& error) {
    if (!error.empty()) acme_.not_stored(path, "it cannot be kept: " + error);
  };
  if (on_keep) return on_keep(path, text, done);
  done("nobody keeps it");
}

void Engine::cut_later(std::uint64_t generation, Duration after) {
  auto timer = std::make_shared<boost::asio::steady_timer>(io_, after);
  timer->async_wait([this, timer, generation](const boost::system::error_code& error) {
    if (error || stopped_) return;
    for (auto& worker : workers_) worker->cut(generation);
  });
}

void Engine::retire_idle_workers() {
  while (workers_.size() > active_ && workers_.back()->idle()) {
    workers_.back()->stop();
    workers_.back()->join();
    workers_.pop_back();
    --started_;
  }
  if (workers_.size() == active_) return;
  retire_timer_.expires_after(kRetirePoll);
  retire_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && !stopped_) retire_idle_workers();
  });
}

void Engine::reload_failed(const std::string& why) {
  reloads_.last_ok = false;
  reloads_.last_at = clock_.wall();
  reloads_.last_error = why;
  ++reloads_.failed;
}

void Engine::reopen(LogFiles::Map files) {
  files_.exchange(std::move(files));
  log_.reopen();
  if (runtime_ != nullptr) {
    for (const auto& log : runtime_->logs) log->reopen();
  }
  for (auto& worker : workers_) worker->reopen_logs();
}

// ---- the end
// -------------------------------------------------------------------------------------------

void Engine::drain() {
  if (draining_) return;
  draining_ = true;
  acme_.stop();
  asker_.stop();
  admin_->close_trusted();
  const auto begun = when_all([this] {
    log_.notice("accepting no more; requests and tunnels are let to end");
    poll_drain();
  });
  for (auto& worker : workers_) worker->drain(begun);
  if (model_ != nullptr && model_->shutdown_timeout.count() > 0) {
    drain_deadline_ = clock_.now() + model_->shutdown_timeout;
  }
  if (workers_.empty()) stop();
}

void Engine::poll_drain() {
  const bool idle =
      std::all_of(workers_.begin(), workers_.end(), [](const auto& w) { return w->idle(); });
  if (idle || clock_.now() >= drain_deadline_) return stop();
  drain_timer_.expires_after(kDrainPoll);
  drain_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) poll_drain();
  });
}

void Engine::stop() {
  if (stopped_) return;
  draining_ = stopped_ = true;
  acme_.stop();
  asker_.stop();
  drain_timer_.cancel();
  retire_timer_.cancel();
  forget_timer_.cancel();
  expiry_timer_.cancel();
  for (auto& worker : workers_) worker->stop();
  prober_->stop();
  names_.stop();
  registries_.stop();
  admin_->close();
  for (auto& worker : workers_) worker->join();
  // Spans of the last requests.
  constexpr Duration kTraces{1000};
  if (runtime_ != nullptr && runtime_->traces != nullptr) runtime_->traces->finish(kTraces);
  if (on_ended) on_ended();
}

void Engine::ping(std::function<void()> answer) {
  const auto ran = when_all(std::move(answer));
  for (auto& worker : workers_) worker->post(ran);
}

}  // namespace weir::main
