#include "tls/challenges.h"

#include <utility>

namespace weir::tls {

void Challenges::count() {
  count_.store(answers_.size() + certificates_.size(), std::memory_order_release);
}

void Challenges::set_answer(const std::string& token, std::string answer) {
  const std::lock_guard lock(mutex_);
  answers_[token] = std::move(answer);
  count();
}

void Challenges::remove_answer(const std::string& token) {
  const std::lock_guard lock(mutex_);
  answers_.erase(token);
  count();
}

std::string Challenges::answer(std::string_view path) const {
  if (count_.load(std::memory_order_acquire) == 0 || !path.starts_with(kPath)) return {};
  const std::lock_guard lock(mutex_);
  const auto found = answers_.find(path.substr(kPath.size()));
  return found == answers_.end() ? std::string() : found->second;
}

void Challenges::set_certificate(const std::string& name, std::shared_ptr<const Context> context) {
  const std::lock_guard lock(mutex_);
  certificates_[name] = std::move(context);
  count();
}

void Challenges::remove_certificate(const std::string& name) {
  const std::lock_guard lock(mutex_);
  certificates_.erase(name);
  count();
}

std::shared_ptr<const Context> Challenges::certificate(std::string_view name) const {
  if (count_.load(std::memory_order_acquire) == 0) return nullptr;
  const std::lock_guard lock(mutex_);
  const auto found = certificates_.find(name);
  return found == certificates_.end() ? nullptr : found->second;
}

}  // namespace weir::tls
