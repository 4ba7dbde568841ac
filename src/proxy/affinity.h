// `sticky` for one request: who it is bound to, and what tells the client of the peer that it got.
// Part of an exchange; worker thread.
#pragma once

#include <cstdint>
#include <string>

namespace weir::upstream {
class Walk;
}

namespace weir::proxy {

class Exchange;
struct PoolNode;

class Affinity {
 public:
  void reset();
  // Binds `walk` to the peer that the request belongs to, if it belongs to any.
  void bind(Exchange& x, const PoolNode& pool, upstream::Walk& walk);
  // The peer of this index has been chosen: makes the cookie.
  void chose(Exchange& x, const PoolNode& pool, std::uint32_t peer);
  // Whether the client comes back to this peer: each with a cookie, else those who have brought
  // what is looked for.
  [[nodiscard]] bool binds(const PoolNode& pool) const;
  // "name=value; ..." for Set-Cookie; empty: none.
  [[nodiscard]] const std::string& cookie() const { return cookie_; }
  // The head of the peer's answer has come, or (`at_end`) the answer has ended without its fault:
  // `sticky learn` remembers.
  void learn(Exchange& x, const PoolNode& pool, std::uint32_t peer, bool at_end) const;

 private:
  std::string id_;  // what the request brought: a route, or a session
  std::string cookie_;
};

}  // namespace weir::proxy
