// nginx's `geo`: a value for the network that an address is in. A Geo is immutable and read by all
// workers; a GeoBuilder makes one while a configuration is compiled.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "access/interval_table.h"
#include "base/address.h"

namespace weir::access {

class Geo {
 public:
  // The value for `address`, empty if nothing applies and there is no default. What is no IP
  // address (a Unix client, a variable that holds none) is looked up as 255.255.255.255, and with
  // `ranges` IPv6 addresses are too.
  [[nodiscard]] std::string_view find(const IpAddress& address) const;

  // Whose address is to be looked up, where that of the connection is meant: see `proxy` and
  // `proxy_recursive`. `forwarded_for`: the values of X-Forwarded-For.
  [[nodiscard]] IpAddress client(const IpAddress& peer,
                                 std::span<const std::string_view> forwarded_for) const;

 private:
  friend class GeoBuilder;
  Geo() = default;

  bool ranges_ = false;
  IntervalTable<std::uint32_t> v4_;
  IntervalTable<WideKey> v6_;
  std::vector<std::string> values_;
  std::vector<Cidr> proxies_;
  bool recursive_ = false;
};

class GeoBuilder {
 public:
  enum class Outcome : std::uint8_t {
    ok,
    replaced,  // a warning: there was one already, the later counts
    missing,   // a warning: there is none to delete
    low_bits,  // a warning: bits of the address behind the mask mean nothing
    invalid,   // an error: no network, no range
    overlaps,  // an error: a range that begins inside another and ends outside, or surrounds it
  };

  GeoBuilder();

  // `ranges`: entries are "10.0.0.0-10.0.0.255" from now on, instead of networks. False: it is too
  // late, there are networks.
  [[nodiscard]] bool use_ranges();
  // `proxy_recursive`
  void set_recursive() { recursive_ = true; }
  // `proxy NETWORK`
  Outcome add_proxy(std::string_view network);
  // `default VALUE`
  Outcome set_default(std::string_view value);
  // `NETWORK VALUE`, or a range. Of networks that contain each other the smallest counts, whatever
  // their order; ranges must come from the widest to the narrowest.
  Outcome add(std::string_view network, std::string_view value);
  // `delete NETWORK`, or a range: exactly as it was added.
  Outcome remove(std::string_view network);

  [[nodiscard]] std::shared_ptr<const Geo> build() const;

 private:
  template <typename Key>
  using Networks = std::map<std::pair<Key, int>, std::uint32_t>;  // by base and mask
  struct Range {
    std::uint32_t last;
    std::uint32_t value;
  };

  std::uint32_t index_of(std::string_view value);
  Outcome add_range(std::uint32_t first, std::uint32_t last, std::uint32_t value);
  Outcome add_piece(std::uint32_t first, std::uint32_t last, std::uint32_t value);
  Outcome remove_range(std::uint32_t first, std::uint32_t last);

  bool ranges_ = false;
  bool recursive_ = false;
  std::vector<Cidr> proxies_;
  std::vector<std::string> values_;
  std::unordered_map<std::string, std::uint32_t> indices_;
  Networks<std::uint32_t> v4_;
  Networks<WideKey> v6_;
  bool has_networks_ = false;
  bool has_default_ = false;
  std::uint32_t default_ = 0;
  std::map<std::uint32_t, Range> pieces_;  // by their first address; none leaves its /16
};

}  // namespace weir::access
