// Host names by the C library's getaddrinfo(3), for an event loop that must not be held up by it:
// one name after the other, in a thread of their own, which begins with the first of them. The
// loop's thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "discovery/question.h"
#include "net/loop.h"
#include "net/task.h"

namespace weir::discovery {

// Without a bound. Any thread.
[[nodiscard]] Addresses resolve_with_system(const std::string& host);

class SystemLookups {
 public:
  explicit SystemLookups(net::Loop& loop);
  // What the C library is doing just now is not waited for.
  ~SystemLookups();
  SystemLookups(const SystemLookups&) = delete;
  SystemLookups& operator=(const SystemLookups&) = delete;

  // Nothing: it has not come by `deadline`, or there is no thread to be had.
  [[nodiscard]] net::Task<std::optional<Addresses>> ask(std::string host, net::Waiter& waiter,
                                                        TimePoint deadline);

 private:
  struct Job;
  struct Shared;
  static void run(const std::shared_ptr<Shared>& shared);
  bool begin(const std::shared_ptr<Job>& job);

  net::Loop& loop_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace weir::discovery
