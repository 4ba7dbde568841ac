#include "main/node.h"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <cstdio>
#include <memory>
#include <random>

#include "config/address_text.h"
#include "discovery/static.h"
#include "main/node_process.h"
#include "main/registry_options.h"
#include "net/random.h"
#include "probe/check.h"
#include "registry/lease.h"

namespace weir::main {
namespace {

namespace asio = boost::asio;

constexpr int kLost = 75;  // EX_TEMPFAIL: to be started again
constexpr Duration kCheckInterval{250};
constexpr Duration kLostPatience{5'000};  // from SIGTERM to SIGKILL when another has the ID

void say(const std::string& text) { std::fprintf(stderr, "weir node: %s\n", text.c_str()); }

registry::LeaseOptions lease_options(const NodeOptions& node, registry::LinkOptions link) {
  std::random_device random;
  char unique[32];
  std::snprintf(unique, sizeof unique, "%08x%08x", random(), random());
  registry::LeaseOptions options;
  options.link = std::move(link);
  options.app = node.place.app;
  options.addr = node.addr;
  options.instance = node.addr + "/" + std::to_string(::getpid()) + "/" + unique;
  options.mode = node.mode;
  options.version = node.version;
  options.weight = node.weight;
  options.lease = node.lease;
  options.renew = node.lease / 3;
  options.settle = node.settle;
  return options;
}

class Node {
 public:
  Node(asio::io_context& io, NodeOptions options, registry::LinkOptions link)
      : io_(io),
        options_(std::move(options)),
        signals_(io, SIGTERM, SIGINT, SIGCHLD),
        timer_(io),
        check_timer_(io),
        lease_(io, clock_, net::pseudo_random(), lease_options(options_, std::move(link)),
               hooks()) {
    for (const int number : {SIGHUP, SIGUSR1, SIGUSR2}) signals_.add(number);
  }

  int run() {
    wait_for_signal();
    lease_.start();
    io_.run();
    return status_;
  }

 private:
  enum class Stage : std::uint8_t { taking, starting, ready, draining, stopping, ended };

  registry::Lease::Hooks hooks() {
    return {.on_taken = [this](std::size_t id) { begin(id); },
            .on_refused = [this](const std::string& why) { give_up(why, 1); },
            .on_lost =
                [this](const std::string& holder) {
                  lose("another process holds worker ID " + std::to_string(*lease_.id()) +
                       " now: " + holder);
                },
            .on_unsure =
                [this](const std::string& error) {
                  if (options_.strict) return lose("the lease could not be renewed: " + error);
                  say("the lease is over and cannot be renewed, so others may take the ID; going "
                      "on: " +
                      error);
                },
            .on_published =
                [this](registry::NodeState state) {
                  if (state == registry::NodeState::ready && stage_ == Stage::ready)
                    say("ready at " + options_.addr);
                },
            .on_note = [](const std::string& text) { say(text); }};
  }

  // ---- signals ----

  void wait_for_signal() {
    signals_.async_wait([this](const boost::system::error_code& error, int number) {
      if (error) return;
      on_signal(number);
      if (stage_ != Stage::ended) wait_for_signal();
    });
  }

  void on_signal(int number) {
    if (number == SIGCHLD) {
      if (process_.reap()) command_ended();
    } else if (number == SIGTERM || number == SIGINT) {
      stage_ == Stage::draining ? stop_command(options_.stop_timeout) : drain();
    } else {
      process_.signal(number);
    }
  }

  // ---- the life of the node ----

  void begin(std::size_t id) {
    say("worker ID " + std::to_string(id) + " of \"" + options_.place.app + "\"");
    stage_ = Stage::starting;
    if (!options_.command.empty()) {
      const auto error = process_.start(options_.command, "WORKER_ID", std::to_string(id));
      if (!error.empty()) {
        say(error);
        return finish(127);
      }
    }
    find_address();
  }

  void find_address() {
    std::string ignored;
    const auto address = config::parse_address(options_.addr, {}, ignored);
    auto ip = IpAddress::parse(address->where.host);
    if (!ip) {
      const auto found = discovery::resolve_with_system(address->where.host);
      if (found.found.empty()) {
        if (found.error != address_error_) say("--addr: " + found.error);
        address_error_ = found.error;
        return check_later();
      }
      ip = found.found.front();
    }
    ip->set_port(address->where.port);
    peer_.name = options_.addr;
    peer_.endpoint.ip = *ip;
    check();
  }

  void check_later() {
    check_timer_.expires_after(kCheckInterval);
    check_timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error && stage_ == Stage::starting) find_address();
    });
  }

  void check() {
    config::HealthCheckConfig settings;
    settings.uri = options_.check;
    if (options_.check.empty()) settings.type = config::CheckType::tcp;
    check_ = std::make_shared<probe::Check>(io_, settings, peer_, nullptr,
                                            [this](const upstream::CheckResult& result) {
                                              if (stage_ != Stage::starting) return;
                                              if (!result.passed()) return check_later();
                                              stage_ = Stage::ready;
                                              lease_.set_state(registry::NodeState::ready);
                                            });
    check_->start();
  }

  void drain() {
    if (stage_ == Stage::taking) return finish(0);
    if (stage_ != Stage::starting && stage_ != Stage::ready) return;
    const bool served = stage_ == Stage::ready;
    stage_ = Stage::draining;
    lease_.set_state(registry::NodeState::draining);
    const Duration wait = served ? options_.drain : Duration{0};
    say("draining for " + std::to_string(wait.count()) + " ms");
    timer_.expires_after(wait);
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error && stage_ == Stage::draining) stop_command(options_.stop_timeout);
    });
  }

  void stop_command(Duration patience) {
    const bool already = std::exchange(stage_, Stage::stopping) == Stage::stopping;
    if (!process_.running()) return finish(status_);
    process_.signal(SIGTERM);
    const auto until = std::chrono::steady_clock::now() + patience;
    timer_.expires_at(already ? std::min(until, timer_.expiry()) : until);
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (error || !process_.running()) return;
      say("the command does not end; it is killed");
      process_.signal(SIGKILL);
    });
  }

  // The command must not go on with an ID that another may have.
  void lose(const std::string& why) {
    if (stage_ == Stage::ended) return;
    say(why + "; ending");
    lost_ = true;
    stop_command(std::min(options_.stop_timeout, kLostPatience));
  }

  void give_up(const std::string& why, int status) {
    say(why);
    finish(status);
  }

  void command_ended() { finish(process_.status()); }

  void finish(int status) {
    if (stage_ == Stage::ended) return;
    stage_ = Stage::ended;
    status_ = lost_ ? kLost : status;
    timer_.cancel();
    check_timer_.cancel();
    if (check_ != nullptr) check_->cancel();
    lease_.release([this] {
      signals_.cancel();
      io_.stop();
    });
  }

  asio::io_context& io_;
  SystemClock clock_;
  NodeOptions options_;
  asio::signal_set signals_;
  asio::steady_timer timer_;
  asio::steady_timer check_timer_;
  NodeProcess process_;
  upstream::PeerSpec peer_;
  std::string address_error_;
  std::shared_ptr<probe::Check> check_;
  registry::Lease lease_;
  Stage stage_ = Stage::taking;
  bool lost_ = false;
  int status_ = 0;
};

}  // namespace

int node_command(int count, char** arguments) {
  NodeOptions options;
  int status = 0;
  if (parse_node(count, arguments, options, status)) return status;
  registry::LinkOptions link;
  if (const auto error = make_link_options(options.place, link); !error.empty()) {
    say(error);
    return 1;
  }
  ::signal(SIGPIPE, SIG_IGN);
  asio::io_context io;
  return Node(io, std::move(options), std::move(link)).run();
}

}  // namespace weir::main
