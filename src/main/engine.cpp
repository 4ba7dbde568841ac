#include "main/engine.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <random>

#include "net/socket.h"

namespace weir::main {
namespace {

net::ListenOptions to_options(const config::Listen& listen) {
  net::ListenOptions options;
  options.endpoint = listen.endpoint;
  options.backlog = listen.backlog;
  options.ipv6only = listen.ipv6only.value_or(true);
  options.rcvbuf = listen.rcvbuf;
  options.sndbuf = listen.sndbuf;
  options.so_keepalive = listen.so_keepalive;
  options.deferred = listen.deferred;
  options.fastopen = listen.fastopen;
  return options;
}

void close_all(const std::map<std::string, std::vector<int>>& sockets) {
  for (const auto& [text, fds] : sockets) {
    for (const int fd : fds) {
      if (fd >= 0) ::close(fd);
    }
  }
}

// As many descriptors as the configuration asks for, else as many as the system lets us have.
void raise_descriptor_limit(const config::Model& model) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t want = model.rlimit_nofile > 0 ? model.rlimit_nofile : limit.rlim_max;
  limit.rlim_cur = want;
  limit.rlim_max = std::max(limit.rlim_max, want);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

Engine::Engine(Options options, std::shared_ptr<const config::Model> model, Log& log)
    : options_(std::move(options)), model_(std::move(model)), log_(log) {}

Engine::~Engine() {
  for (auto& worker : workers_) worker->stop();
  for (auto& worker : workers_) worker->join();
}

// ---- start
// -----------------------------------------------------------------------------------------

std::string Engine::start() {
  raise_descriptor_limit(*model_);
  // Before anybody can connect: whoever sees us listen may signal us at once.
  for (const int number : {SIGHUP, SIGUSR1, SIGTERM, SIGINT, SIGQUIT}) signals_.add(number);
  builder_ = std::make_unique<proxy::RuntimeBuilder>(model_->workers);
  for (std::uint32_t i = 0; i < model_->workers; ++i) {
    proxy::Worker::Options options;
    options.index = i;
    options.next_connection_id = [this] { return ++connection_ids_; };
    workers_.push_back(std::make_unique<proxy::Worker>(options, clock_, log_));
  }
  probe::Prober::Hooks hooks;
  hooks.on_transition = [this](const probe::Target& target,
                               const upstream::HealthMachine::Transition& transition) {
    const bool worse = transition.to == upstream::Health::down;
    log_.write(worse ? LogLevel::error : LogLevel::notice, probe::log_line(target, transition));
    if (!worse) return;
    for (auto& worker : workers_) worker->peers_changed();
  };
  auto generator = std::make_shared<std::mt19937_64>(std::random_device{}());
  prober_ = std::make_unique<probe::Prober>(
      io_, clock_,
      [generator](std::uint64_t below) { return below == 0 ? 0 : (*generator)() % below; }, hooks);

  admin::Source source;
  source.runtime = [this] { return runtime_; };
  source.workers = [this] {
    std::vector<const proxy::WorkerStats*> stats;
    for (const auto& worker : workers_) stats.push_back(&worker->stats());
    return stats;
  };
  source.prober = prober_.get();
  source.clock = &clock_;
  source.log = &log_;
  source.draining = [this] { return draining_; };
  source.reloads = [this] { return reloads_; };
  source.started = clock_.wall();
  source.version = WEIR_VERSION;
  admin_ = std::make_unique<admin::Server>(io_, std::move(source));

  if (auto error = apply(model_); !error.empty()) {
    workers_.clear();  // their threads have not begun
    return error;
  }
  if (auto error = write_pid(); !error.empty()) {
    workers_.clear();
    return error;
  }
  for (auto& worker : workers_) worker->start();
  return {};
}

std::vector<Log::Target> Engine::log_targets(const config::Model& model) const {
  std::vector<Log::Target> targets;
  for (const auto& log : model.error_logs) {
    targets.push_back({log.path, static_cast<LogLevel>(log.level)});
  }
  if (targets.empty()) {
    targets.push_back(
        {options_.error_log.empty() ? "stderr" : options_.error_log,
         model.dialect == config::Dialect::nginx ? LogLevel::error : LogLevel::notice});
  }
  return targets;
}

std::string Engine::bind(const proxy::Runtime& runtime, Sockets& fresh) const {
  for (const auto& node : runtime.listens) {
    if (std::find(listening_.begin(), listening_.end(), node->listen.text) != listening_.end()) {
      continue;
    }
    auto& fds = fresh[node->listen.text];
    const auto options = to_options(node->listen);
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      std::string error;
      // Workers have sockets of their own; those of a Unix path are one socket, shared.
      const bool share = i > 0;
      const int fd = share && options.endpoint.is_unix()
                         ? ::dup(fds.front())
                         : net::open_listener(options, share, error);
      if (fd < 0) return node->listen.position.text() + ": listen: " + error;
      fds.push_back(fd);
    }
  }
  return {};
}

std::string Engine::bind_admin(const config::Model& model, Sockets& fresh) const {
  if (!model.admin) return {};
  for (const auto& listen : model.admin->listens) {
    if (admin_sockets_.contains(listen.text) || fresh.contains(listen.text)) continue;
    std::string error;
    const int fd = net::open_listener(to_options(listen), false, error);
    if (fd < 0) return listen.position.text() + ": admin: listen: " + error;
    fresh[listen.text].push_back(fd);
  }
  return {};
}

std::string Engine::apply(std::shared_ptr<const config::Model> model) {
  auto built = builder_->build(model);
  if (built.runtime == nullptr) return built.error;
  Sockets sockets;
  Sockets admin;
  std::string error = bind(*built.runtime, sockets);
  if (error.empty()) error = bind_admin(*model, admin);
  if (error.empty()) error = proxy::AccessLogs::check(*model);
  if (error.empty()) error = log_.configure(log_targets(*model));
  if (!error.empty()) {
    close_all(sockets);
    close_all(admin);
    builder_->discard();
    return error;
  }

  // From here on nothing can fail.
  builder_->commit();
  model_ = std::move(model);
  runtime_ = std::move(built.runtime);
  listening_.clear();
  for (const auto& node : runtime_->listens) listening_.push_back(node->listen.text);
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    std::vector<std::pair<std::string, int>> mine;
    for (const auto& [text, fds] : sockets) mine.emplace_back(text, fds[i]);
    workers_[i]->use(runtime_, std::move(mine));
  }
  std::vector<int> admin_fds;
  Sockets kept;
  for (const auto& listen :
       model_->admin ? model_->admin->listens : std::vector<config::Listen>{}) {
    if (kept.contains(listen.text)) continue;
    const auto& from = admin.contains(listen.text) ? admin : admin_sockets_;
    kept[listen.text] = from.at(listen.text);
  }
  for (const auto& [text, fds] : admin_sockets_) {
    if (!kept.contains(text)) ::close(fds.front());
  }
  admin_sockets_ = std::move(kept);
  // The admin server closes what it is given; ours stay for the next reload.
  for (const auto& [text, fds] : admin_sockets_) admin_fds.push_back(::dup(fds.front()));
  admin_->set_listeners(std::move(admin_fds));
  set_targets();
  reloads_.generation = runtime_->generation;
  reloads_.last_ok = true;
  reloads_.last_at = clock_.wall();
  reloads_.last_error.clear();
  return {};
}

void Engine::set_targets() {
  std::vector<probe::Target> targets;
  for (std::size_t i = 0; i < runtime_->pools.size(); ++i) {
    const auto& config = runtime_->model->upstreams[i];
    for (const auto& peer : runtime_->pools[i].pool->peers()) {
      if (config.health_check) {
        if (!peer->spec.down) targets.push_back({config.name, peer, *config.health_check});
      } else {
        // A reload may have taken the check away: its verdict goes with it.
        peer->health.store(upstream::Health::unchecked, std::memory_order_relaxed);
      }
    }
  }
  prober_->set_targets(std::move(targets));
}

std::string Engine::write_pid() const {
  if (options_.pid_path.empty()) return {};
  std::FILE* file = std::fopen(options_.pid_path.c_str(), "we");
  if (file == nullptr) {
    return "pid: cannot write \"" + options_.pid_path + "\": " + std::strerror(errno);
  }
  std::fprintf(file, "%d\n", static_cast<int>(::getpid()));
  std::fclose(file);
  return {};
}

// ---- signals
// ---------------------------------------------------------------------------------------

int Engine::run() {
  log_.notice("weir " WEIR_VERSION " serves " + options_.config_path + " with " +
              std::to_string(workers_.size()) + (workers_.size() == 1 ? " worker" : " workers"));
  wait_for_signal();
  io_.run();
  for (auto& worker : workers_) worker->join();
  if (!options_.pid_path.empty()) ::unlink(options_.pid_path.c_str());
  for (const auto& text : listening_) {
    if (text.starts_with("unix:")) ::unlink(text.c_str() + 5);
  }
  log_.notice("ended");
  return 0;
}

void Engine::wait_for_signal() {
  signals_.async_wait([this](const boost::system::error_code& error, int number) {
    if (error) return;
    on_signal(number);
    if (!workers_.empty()) wait_for_signal();
  });
}

void Engine::on_signal(int number) {
  switch (number) {
    case SIGHUP:
      return reload();
    case SIGUSR1:
      log_.reopen();
      for (auto& worker : workers_) worker->reopen_logs();
      return log_.notice("logs reopened");
    case SIGQUIT:
      return begin_drain();
    default:
      return stop();
  }
}

void Engine::reload() {
  if (draining_) return;
  log_.notice("reload: reading " + options_.config_path);
  const auto loaded = config::load(options_.config_path, options_.load);
  std::string error;
  for (const auto& diagnostic : loaded.diagnostics) {
    if (diagnostic.severity == config::Diagnostic::Severity::error) {
      error = error.empty() ? diagnostic.text() : error;
      log_.write(LogLevel::emerg, diagnostic.text());
    } else if (diagnostic.severity == config::Diagnostic::Severity::warning) {
      log_.warn(diagnostic.text());
    }
  }
  if (loaded.model != nullptr) {
    if (loaded.model->workers != workers_.size()) {
      log_.warn("reload: worker_processes changes with the next start only");
    }
    error = apply(loaded.model);
    if (!error.empty()) log_.write(LogLevel::emerg, error);
  }
  if (error.empty()) {
    log_.notice("reload: generation " + std::to_string(reloads_.generation) + " is in force");
    return;
  }
  reloads_.last_ok = false;
  reloads_.last_at = clock_.wall();
  reloads_.last_error = error;
  ++reloads_.failed;
  log_.error("reload failed; the configuration in force stays as it is");
}

void Engine::begin_drain() {
  if (draining_) return;
  draining_ = true;
  log_.notice("shutting down: requests and tunnels are let to end");
  for (auto& worker : workers_) worker->drain();
  if (model_->shutdown_timeout.count() > 0) {
    drain_deadline_ = clock_.now() + model_->shutdown_timeout;
  }
  poll_drain();
}

void Engine::poll_drain() {
  const bool idle =
      std::all_of(workers_.begin(), workers_.end(), [](const auto& w) { return w->idle(); });
  if (idle || clock_.now() >= drain_deadline_) return stop();
  drain_timer_.expires_after(std::chrono::milliseconds(20));
  drain_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) poll_drain();
  });
}

void Engine::stop() {
  draining_ = true;
  for (auto& worker : workers_) worker->stop();
  prober_->stop();
  admin_->close();
  drain_timer_.cancel();
  signals_.cancel();
  io_.stop();
}

}  // namespace weir::main
