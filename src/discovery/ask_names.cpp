#include "discovery/ask_names.h"

#include <netdb.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "discovery/name_servers.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "net/task.h"

namespace weir::discovery {
namespace {

// A question being asked.
class Asking {
 public:
  Asking(net::Loop& loop, net::Resolver& resolver, const Question& question, Duration timeout,
         std::size_t& left)
      : loop_(loop),
        resolver_(resolver),
        question_(question),
        deadline_(loop.now() + timeout),
        waiter_(loop),
        left_(left),
        task_(run()) {}

  void start() { task_.start(); }
  Addresses take() { return std::move(result_); }
  [[nodiscard]] bool unknown() const { return error_ == net::ResolveError::not_found; }

 private:
  net::Task<void> run() {
    if (question_.service.empty()) {
      co_await ask_addresses();
    } else {
      co_await ask_services();
    }
    if (--left_ == 0) loop_.stop();
  }

  net::Task<void> ask_addresses() {
    auto answer = co_await resolver_.resolve(question_.host, waiter_, deadline_);
    holds_until(answer.valid_until);
    if (!answer.ok()) {
      failed(answer.error);
      co_return;
    }
    result_.found = std::move(answer.addresses);
  }

  net::Task<void> ask_services() {
    auto answer =
        co_await resolver_.resolve_service(question_.service, question_.host, waiter_, deadline_);
    holds_until(answer.valid_until);
    if (!answer.ok()) {
      failed(answer.error);
      co_return;
    }
    const auto first = answer.services.front().priority;
    for (const auto& service : answer.services) {
      // "." says that there is no such service.
      if (service.target.empty() || service.target == ".") continue;
      auto target = co_await resolver_.resolve(service.target, waiter_, deadline_);
      if (!target.ok()) {
        failed(target.error);
        continue;
      }
      holds_until(target.valid_until);
      for (auto& address : target.addresses) {
        address.set_port(service.port);
        result_.found.push_back(address);
        result_.ranks.emplace_back(address, Rank{service.weight, service.priority != first});
      }
    }
    if (!result_.found.empty()) result_.error.clear();
  }

  void failed(net::ResolveError error) {
    error_ = error;
    result_.error = std::string(net::to_text(error));
  }

  void holds_until(TimePoint time) {
    const auto now = loop_.now();
    const auto lifetime = std::chrono::duration_cast<Duration>(std::max(time, now) - now);
    result_.lifetime = std::min(result_.lifetime.value_or(lifetime), lifetime);
  }

  net::Loop& loop_;
  net::Resolver& resolver_;
  const Question& question_;
  TimePoint deadline_;
  net::Waiter waiter_;
  std::size_t& left_;
  Addresses result_;
  net::ResolveError error_ = net::ResolveError::none;
  net::Task<void> task_;
};

}  // namespace

std::vector<Addresses> ask_names(const std::vector<Question>& questions, Duration at_most) {
  if (questions.empty()) return {};
  const SystemClock clock;
  net::Loop loop(clock);
  NameServers servers(loop, nullptr);
  std::size_t left = questions.size();
  std::vector<std::unique_ptr<Asking>> all;
  for (const auto& question : questions) {
    auto& resolver = servers.get(question.resolver.value_or(config::ResolverConfig{}));
    all.push_back(std::make_unique<Asking>(loop, resolver, question,
                                           std::min(question.timeout, at_most), left));
  }
  loop.post([&] {
    for (auto& each : all) each->start();
  });
  loop.run([] {});
  std::vector<Addresses> results;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const auto& question = questions[i];
    results.push_back(all[i]->unknown() && !question.resolver && question.service.empty()
                          ? resolve_with_system(question.host)
                          : all[i]->take());
  }
  return results;
}

Addresses ask_name(const Question& question) { return std::move(ask_names({question}).front()); }

Addresses resolve_with_system(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;  // as nginx: no IPv6 addresses where there is no IPv6
  addrinfo* list = nullptr;
  const int code = getaddrinfo(host.c_str(), nullptr, &hints, &list);
  const int cause = errno;
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, freeaddrinfo);
  if (code != 0) {
    return {.error = code == EAI_SYSTEM ? std::strerror(cause) : gai_strerror(code)};
  }
  Addresses result;
  for (const addrinfo* each = list; each != nullptr; each = each->ai_next) {
    if (each->ai_family != AF_INET && each->ai_family != AF_INET6) continue;
    result.found.emplace_back(each->ai_addr);
  }
  return result;
}

}  // namespace weir::discovery
