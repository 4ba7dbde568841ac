#include "access/acl.h"

namespace weir::access {

bool Acl::add(Access verdict, std::string_view range) {
  if (range == "all") {
    rules_.push_back({std::nullopt, verdict});
    has_v4_ = true;
    return true;
  }
  const auto cidr = Cidr::parse(range);
  if (!cidr) return false;
  rules_.push_back({cidr, verdict});
  has_v4_ = has_v4_ || cidr->base().is_v4();
  return true;
}

Access Acl::check(const IpAddress& client) const {
  // Rules for IPv4 are those for "::ffff:" addresses, if there are any; else those for IPv6 are.
  const IpAddress address = has_v4_ ? client.unmapped() : client;
  for (const auto& rule : rules_) {
    if (!rule.range || rule.range->covers(address)) return rule.verdict;
  }
  return Access::undecided;
}

}  // namespace weir::access
