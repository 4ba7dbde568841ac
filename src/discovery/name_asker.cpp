#include "discovery/name_asker.h"

#include <algorithm>
#include <exception>
#include <list>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "discovery/name_servers.h"
#include "discovery/system_lookups.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "net/task.h"

namespace weir::discovery {
namespace {

// A question being asked.
class Asking {
 public:
  using Ended = std::function<void(Addresses)>;
  Asking(net::Loop& loop, net::Resolver& resolver, SystemLookups& system, const Question& question,
         Ended ended)
      : loop_(loop),
        resolver_(resolver),
        system_(system),
        question_(question),
        ended_(std::move(ended)),
        deadline_(loop.now() + question.timeout),
        waiter_(loop),
        task_(run()) {}

  void start() { task_.start(); }

 private:
  // What an SRV record leads to.
  struct Target {
    Target(net::Loop& loop, const net::dns::Service& record) : service(record), waiter(loop) {}
    const net::dns::Service& service;
    net::Waiter waiter;
    net::Resolved answer{};
    std::optional<net::Task<void>> task{};
  };

  net::Task<void> run() {
    if (question_.service.empty()) {
      co_await ask_addresses();
    } else {
      co_await ask_services();
    }
    ended_(std::move(result_));
  }

  net::Task<void> ask_addresses() {
    auto answer = co_await resolver_.resolve(question_.host, waiter_, deadline_);
    holds_until(answer.valid_until);
    if (answer.ok()) {
      result_.found = std::move(answer.addresses);
      co_return;
    }
    result_.error = std::string(net::to_text(answer.error));
    if (answer.error != net::ResolveError::not_found || question_.resolver) co_return;
    auto found = co_await system_.ask(question_.host, waiter_, deadline_);
    if (found) result_ = std::move(*found);
  }

  net::Task<void> ask_services() {
    auto answer =
        co_await resolver_.resolve_service(question_.service, question_.host, waiter_, deadline_);
    holds_until(answer.valid_until);
    if (!answer.ok()) {
      result_.error = std::string(net::to_text(answer.error));
      co_return;
    }
    std::list<Target> targets;
    for (const auto& service : answer.services) {
      // "." says that there is no such service.
      if (!service.target.empty() && service.target != ".") targets.emplace_back(loop_, service);
    }
    std::size_t left = targets.size();
    for (auto& target : targets) {
      target.task.emplace(ask_target(target, left));
      target.task->start();
    }
    while (left > 0) co_await waiter_.wait(TimePoint::max());
    for (auto& target : targets) {
      take(target, target.service.priority != answer.services.front().priority);
    }
    if (result_.found.empty() && result_.error.empty() && !targets.empty()) {
      result_.error = std::string(net::to_text(net::ResolveError::not_found));
    }
  }

  net::Task<void> ask_target(Target& target, std::size_t& left) {
    target.answer = co_await resolver_.resolve(target.service.target, target.waiter, deadline_);
    if (--left == 0) waiter_.notify();
  }

  // A target that does not exist gives nothing; one that nobody could tell about, what it gave
  // the last time.
  void take(Target& target, bool reserve) {
    const auto& service = target.service;
    auto& answer = target.answer;
    if (answer.ok()) {
      holds_until(answer.valid_until);
    } else if (answer.error != net::ResolveError::not_found) {
      result_.error = service.target + ": " + std::string(net::to_text(answer.error));
      const auto before = question_.last_targets.find(service.target);
      if (before != question_.last_targets.end()) answer.addresses = before->second;
    }
    if (answer.addresses.empty()) return;
    result_.targets[service.target] = answer.addresses;
    for (auto& address : answer.addresses) {
      address.set_port(service.port);
      result_.found.push_back(address);
      result_.ranks.emplace_back(address, Rank{service.weight, reserve});
    }
  }

  void holds_until(TimePoint time) {
    const auto now = loop_.now();
    const auto lifetime = std::chrono::duration_cast<Duration>(std::max(time, now) - now);
    result_.lifetime = std::min(result_.lifetime.value_or(lifetime), lifetime);
  }

  net::Loop& loop_;
  net::Resolver& resolver_;
  SystemLookups& system_;
  const Question& question_;
  Ended ended_;
  TimePoint deadline_;
  net::Waiter waiter_;
  Addresses result_;
  net::Task<void> task_;
};

// Questions that were asked together. Name servers are remembered for their time only: whoever
// asks again wants to know anew.
class Batch {
 public:
  Batch(net::Loop& loop, SystemLookups& system, std::vector<Question> questions,
        NameAsker::Answered answered, std::function<void()> done)
      : questions_(std::move(questions)),
        answered_(std::move(answered)),
        done_(std::move(done)),
        servers_(loop, nullptr),
        left_(questions_.size()) {
    for (std::size_t i = 0; i < questions_.size(); ++i) {
      const auto& question = questions_[i];
      auto& resolver = servers_.get(question.resolver.value_or(config::ResolverConfig{}));
      all_.push_back(
          std::make_unique<Asking>(loop, resolver, system, question, [this, i](Addresses found) {
            answered_(i, std::move(found));
            if (--left_ == 0) done_();
          }));
    }
  }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  void start() {
    for (auto& each : all_) each->start();
  }
  [[nodiscard]] bool over() const { return left_ == 0; }

 private:
  std::vector<Question> questions_;
  NameAsker::Answered answered_;
  std::function<void()> done_;
  NameServers servers_;
  std::size_t left_;
  std::vector<std::unique_ptr<Asking>> all_;
};

void answer_all(std::size_t count, const NameAsker::Answered& answered, const char* why) {
  for (std::size_t i = 0; i < count; ++i) {
    answered(i, {.error = std::string("it cannot be asked for: ") + why});
  }
}

}  // namespace

class NameAsker::Running {
 public:
  Running() : thread_([this] { run(); }) {}
  ~Running() {
    loop_.stop();
    thread_.join();
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  void ask(const std::vector<Question>& questions, const Answered& answered) {
    loop_.post([this, questions, answered] { begin(questions, answered); });
  }

 private:
  void run() {
    loop_.run([] {});
    batches_.clear();  // its coroutines are this thread's
  }

  void begin(const std::vector<Question>& questions, const Answered& answered) {
    try {
      batches_.emplace_back(loop_, system_, questions, answered, [this] {
        // What calls here is a part of it.
        loop_.post([this] { batches_.remove_if([](const auto& each) { return each.over(); }); });
      });
    } catch (const std::exception& error) {
      return answer_all(questions.size(), answered, error.what());
    }
    batches_.back().start();
  }

  SystemClock clock_;
  net::Loop loop_{clock_};
  SystemLookups system_{loop_};
  std::list<Batch> batches_;
  std::thread thread_;  // the last one: it uses the others
};

NameAsker::NameAsker() = default;
NameAsker::~NameAsker() = default;

void NameAsker::ask(const std::vector<Question>& questions, const Answered& answered) {
  if (questions.empty()) return;
  try {
    if (running_ == nullptr) running_ = std::make_unique<Running>();
    running_->ask(questions, answered);
  } catch (const std::exception& error) {
    answer_all(questions.size(), answered, error.what());
  }
}

}  // namespace weir::discovery
