#include "discovery/ask_names.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "discovery/name_asker.h"

namespace weir::discovery {

std::vector<Addresses> ask_names(const std::vector<Question>& questions, Duration at_most) {
  auto bounded = questions;
  for (auto& question : bounded) question.timeout = std::min(question.timeout, at_most);
  std::vector<Addresses> results(bounded.size());
  std::size_t left = results.size();
  std::mutex mutex;
  std::condition_variable changed;
  NameAsker asker;
  asker.ask(bounded, [&](std::size_t index, Addresses found) {
    const std::lock_guard lock(mutex);
    results[index] = std::move(found);
    if (--left == 0) changed.notify_all();
  });
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return left == 0; });
  return results;
}

Addresses ask_name(const Question& question) { return std::move(ask_names({question}).front()); }

}  // namespace weir::discovery
