#include "tls/session_cache.h"

#include <utility>

namespace weir::tls {
namespace {
constexpr std::size_t kBeside = 160;  // bytes of an entry, roughly, besides its texts
}

void SessionCache::put(std::string_view id, std::string session, std::int64_t expires) {
  const std::lock_guard lock(mutex_);
  if (const auto found = by_id_.find(id); found != by_id_.end()) erase(found->second);
  const auto cost = kBeside + id.size() + session.size();
  if (cost > size_) return;
  while (used_ + cost > size_) erase(order_.begin());
  order_.push_back({std::string(id), std::move(session), expires});
  by_id_.emplace(order_.back().id, std::prev(order_.end()));
  used_ += cost;
}

std::string SessionCache::get(std::string_view id, std::int64_t now) {
  const std::lock_guard lock(mutex_);
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return {};
  if (found->second->expires > now) return found->second->session;
  erase(found->second);
  return {};
}

void SessionCache::drop(std::string_view id) {
  const std::lock_guard lock(mutex_);
  if (const auto found = by_id_.find(id); found != by_id_.end()) erase(found->second);
}

std::size_t SessionCache::count() const {
  const std::lock_guard lock(mutex_);
  return order_.size();
}

void SessionCache::erase(Order::iterator at) {
  used_ -= kBeside + at->id.size() + at->session.size();
  by_id_.erase(at->id);
  order_.erase(at);
}

}  // namespace weir::tls
