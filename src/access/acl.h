// nginx's `allow` and `deny`: who may come in by their address. The first rule that applies
// decides. Filled while a configuration is compiled, read by all workers after.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/address.h"

namespace weir::access {

enum class Access : std::uint8_t {
  undecided,  // no rule applies
  allowed,
  denied,  // 403, unless `satisfy any` and something else lets the request in
};

class Acl {
 public:
  // `range` is what is written behind `allow` or `deny`: an address, a CIDR range, "unix:" or
  // "all". False: it is none of these.
  bool add(Access verdict, std::string_view range);
  [[nodiscard]] Access check(const IpAddress& client) const;
  [[nodiscard]] bool empty() const { return rules_.empty(); }

 private:
  struct Rule {
    std::optional<Cidr> range;  // nullopt: all
    Access verdict;
  };
  std::vector<Rule> rules_;
  bool has_v4_ = false;
};

}  // namespace weir::access
