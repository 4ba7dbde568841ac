#include "net/name_cache.h"

#include <utility>

namespace weir::net {

NameCache::Entry* NameCache::find(std::string_view name) {
  const auto found = index_.find(name);
  if (found == index_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return &*found->second;
}

AnswerPtr NameCache::fresh(std::string_view name, TimePoint now) {
  const Entry* entry = find(name);
  return entry != nullptr && now < entry->answer->valid_until ? entry->answer : nullptr;
}

void NameCache::put(std::string_view name, AnswerPtr answer) {
  Entry* entry = find(name);
  if (entry == nullptr) {
    entries_.push_front({std::string(name), nullptr, nullptr});
    entry = &entries_.front();
    index_.emplace(entry->name, entries_.begin());
  }
  if (!answer->alias) entry->good = answer;
  entry->answer = std::move(answer);
  if (index_.size() > capacity_) {
    index_.erase(entries_.back().name);
    entries_.pop_back();
  }
}

AnswerPtr NameCache::good(std::string_view name) {
  const Entry* entry = find(name);
  return entry != nullptr ? entry->good : nullptr;
}

void NameCache::set_good(std::string_view name, AnswerPtr answer) {
  if (Entry* entry = find(name)) entry->good = std::move(answer);
}

}  // namespace weir::net
