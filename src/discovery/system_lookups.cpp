#include "discovery/system_lookups.h"

#include <netdb.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace weir::discovery {

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

// The loop's thread, but for `host`.
struct SystemLookups::Job {
  std::string host;
  net::Waiter* waiter;  // null: nobody waits any more
  std::optional<Addresses> found;
};

struct SystemLookups::Shared {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::shared_ptr<Job>> jobs;
  net::Loop* loop;  // null: it is gone, and the thread ends
  bool running = false;
};

SystemLookups::SystemLookups(net::Loop& loop) : loop_(loop), shared_(std::make_shared<Shared>()) {
  shared_->loop = &loop;
}

SystemLookups::~SystemLookups() {
  const std::lock_guard lock(shared_->mutex);
  shared_->loop = nullptr;
  shared_->changed.notify_all();
}

void SystemLookups::run(const std::shared_ptr<Shared>& shared) {
  std::unique_lock lock(shared->mutex);
  for (;;) {
    shared->changed.wait(lock, [&] { return shared->loop == nullptr || !shared->jobs.empty(); });
    if (shared->loop == nullptr) return;
    auto job = std::move(shared->jobs.front());
    shared->jobs.pop_front();
    lock.unlock();
    auto found = resolve_with_system(job->host);
    lock.lock();
    if (shared->loop == nullptr) return;
    shared->loop->post([job = std::move(job), found = std::move(found)]() mutable {
      job->found = std::move(found);
      if (job->waiter != nullptr) job->waiter->notify();
    });
  }
}

bool SystemLookups::begin(const std::shared_ptr<Job>& job) {
  const std::lock_guard lock(shared_->mutex);
  if (!shared_->running) {
    try {
      std::thread([shared = shared_] { run(shared); }).detach();
    } catch (const std::system_error&) {
      return false;
    }
    shared_->running = true;
  }
  shared_->jobs.push_back(job);
  shared_->changed.notify_all();
  return true;
}

net::Task<std::optional<Addresses>> SystemLookups::ask(std::string host, net::Waiter& waiter,
                                                       TimePoint deadline) {
  const auto job = std::make_shared<Job>(Job{std::move(host), &waiter, {}});
  if (!begin(job)) co_return std::nullopt;
  while (!job->found && loop_.now() < deadline) co_await waiter.wait(deadline);
  job->waiter = nullptr;
  if (!job->found) {
    const std::lock_guard lock(shared_->mutex);
    std::erase(shared_->jobs, job);
  }
  co_return std::move(job->found);
}

}  // namespace weir::discovery
