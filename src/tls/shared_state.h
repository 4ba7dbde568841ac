// Caches of sessions and keys of tickets by the name of their zone: they outlive configurations, as
// long as one of them uses them. Belongs to whoever loads configurations; one thread at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>

#include "tls/session_cache.h"
#include "tls/ticket_keys.h"

namespace weir::tls {

class SharedState {
 public:
  // The cache of that name and size (bytes), the earlier one if it is still in use.
  [[nodiscard]] std::shared_ptr<SessionCache> cache(const std::string& name, std::size_t size);
  // The keys that go with it.
  [[nodiscard]] std::shared_ptr<TicketKeys> keys(const std::string& name,
                                                 std::chrono::seconds life);

 private:
  std::map<std::string, std::weak_ptr<SessionCache>> caches_;
  std::map<std::string, std::weak_ptr<TicketKeys>> keys_;
};

}  // namespace weir::tls
