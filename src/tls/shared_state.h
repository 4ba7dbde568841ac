// Caches of sessions and keys of tickets by the name of their zone, and answers of OCSP: they
// outlive configurations, as long as one of them uses them. Belongs to whoever loads
// configurations; one thread at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>

#include "tls/asked_staple.h"
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
  // The earlier one that asks the same if it is still in use, else this one.
  [[nodiscard]] std::shared_ptr<AskedStaple> staple(std::shared_ptr<AskedStaple> fresh);

 private:
  std::map<std::string, std::weak_ptr<SessionCache>> caches_;
  std::map<std::string, std::weak_ptr<TicketKeys>> keys_;
  std::map<std::string, std::weak_ptr<AskedStaple>> staples_;  // by their keys
};

}  // namespace weir::tls
