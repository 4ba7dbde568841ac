// Sessions of TLS by their ids, for servers that share a cache (`ssl_session_cache shared:...`).
// All workers, under a lock that handshakes alone take. The oldest ones make room.
#pragma once

#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace weir::tls {

class SessionCache {
 public:
  // `size`: bytes, of sessions and what is kept beside them.
  explicit SessionCache(std::size_t size) : size_(size) {}

  // `session`: the ASN.1 that OpenSSL makes of one. `expires`: seconds since the epoch.
  void put(std::string_view id, std::string session, std::int64_t expires);
  // Empty: there is none, or it is too old.
  [[nodiscard]] std::string get(std::string_view id, std::int64_t now);
  void drop(std::string_view id);
  [[nodiscard]] std::size_t count() const;

 private:
  struct Entry {
    std::string id;
    std::string session;
    std::int64_t expires = 0;
  };
  using Order = std::list<Entry>;
  void erase(Order::iterator at);

  mutable std::mutex mutex_;
  std::size_t size_;
  std::size_t used_ = 0;
  Order order_;  // the oldest first
  std::unordered_map<std::string_view, Order::iterator> by_id_;
};

}  // namespace weir::tls
