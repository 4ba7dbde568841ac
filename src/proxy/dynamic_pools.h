// Pools for what a proxy_pass with variables comes to and no upstream is named after: an address, a
// Unix socket, or the addresses of a host name. Made when first asked for, a bounded number of
// them; those that nobody uses go first. One worker; belongs to its WorkerRuntime.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/address.h"
#include "net/loop.h"
#include "proxy/idle_connections.h"
#include "proxy/runtime.h"

namespace weir::proxy {

// The authority of a URL, taken apart.
struct Authority {
  std::string_view host;  // a name or an address, without brackets
  std::uint16_t port = 80;
  std::string_view unix_path;  // of "unix:/path"; then there is no host
};
[[nodiscard]] std::optional<Authority> parse_authority(std::string_view text,
                                                       std::uint16_t default_port = 80);

class DynamicPools {
 public:
  struct Entry {
    PoolNode node;
    std::unique_ptr<IdleConnections> idle;
    std::uint64_t used = 0;
  };
  // Users hold the entry as long as they use it.
  using EntryPtr = std::shared_ptr<Entry>;

  DynamicPools(net::Loop& loop, std::uint32_t worker) : loop_(loop), worker_(worker) {}

  // The pool named `name` with those peers: the earlier one if they are the same ones.
  [[nodiscard]] EntryPtr get(std::string_view name, std::span<const Endpoint> endpoints);
  bool drop_oldest_idle();

 private:
  void make_room();

  net::Loop& loop_;
  std::uint32_t worker_;
  std::uint64_t uses_ = 0;
  std::unordered_map<std::string, EntryPtr> entries_;
};

}  // namespace weir::proxy
