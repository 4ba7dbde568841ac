#include "access/geo.h"

#include <iterator>
#include <optional>
#include <utility>

#include "access/forwarded.h"

namespace weir::access {
namespace {

constexpr std::uint32_t kNoAddress = 0xffffffff;
constexpr std::uint32_t kLow = 0xffff;  // a piece of a range stays within the same upper half

std::uint32_t v4_key(const IpAddress& address) {
  std::uint32_t key = 0;
  for (const auto byte : address.bytes()) key = key << 8 | byte;
  return key;
}

WideKey v6_key(const IpAddress& address) {
  WideKey key;
  const auto bytes = address.bytes();
  for (std::size_t i = 0; i < 8; ++i) {
    key.high = key.high << 8 | bytes[i];
    key.low = key.low << 8 | bytes[i + 8];
  }
  return key;
}

// All bits behind the first `bits` ones.
std::uint32_t tail_mask(std::uint32_t, int bits) { return bits == 0 ? ~0U : ~(~0U << (32 - bits)); }
WideKey tail_mask(WideKey, int bits) {
  const auto half = [](int of) {
    return of <= 0 ? ~0ULL : of >= 64 ? 0ULL : ~(~0ULL << (64 - of));
  };
  return {half(bits), half(bits - 64)};
}

std::uint32_t first_of(std::uint32_t key, int bits) { return key & ~tail_mask(key, bits); }
WideKey first_of(WideKey key, int bits) {
  const auto mask = tail_mask(key, bits);
  return {key.high & ~mask.high, key.low & ~mask.low};
}
std::uint32_t last_of(std::uint32_t key, int bits) { return key | tail_mask(key, bits); }
WideKey last_of(WideKey key, int bits) {
  const auto mask = tail_mask(key, bits);
  return {key.high | mask.high, key.low | mask.low};
}

// Networks, which lie within each other or apart, as intervals. A network comes behind those that
// contain it.
template <typename Key, typename Networks>
IntervalTable<Key> flatten(const Networks& networks) {
  struct Open {
    Key last;
    std::uint32_t value;
  };
  IntervalTable<Key> table;
  std::vector<Open> open;  // around the place that is reached
  const auto close = [&] {
    Key next = open.back().last;
    open.pop_back();
    if (advance(next)) table.begin(next, open.empty() ? 0 : open.back().value);
  };
  for (const auto& [network, value] : networks) {
    const auto& [first, bits] = network;
    while (!open.empty() && open.back().last < first) close();
    table.begin(first, value);
    open.push_back({last_of(first, bits), value});
  }
  while (!open.empty()) close();
  return table;
}

std::optional<Cidr> parse_network(std::string_view text) {
  auto range = Cidr::parse(text);
  if (range && !range->base().is_v4() && !range->base().is_v6()) range.reset();
  return range;
}

// "10.0.0.0-10.0.0.255", both of them below 255.255.255.255, which stands for no address.
std::optional<std::pair<std::uint32_t, std::uint32_t>> parse_range(std::string_view text) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = IpAddress::parse(text.substr(0, dash));
  const auto last = IpAddress::parse(text.substr(dash + 1));
  if (!first || !last || !first->is_v4() || !last->is_v4()) return std::nullopt;
  const std::pair range(v4_key(*first), v4_key(*last));
  if (range.first > range.second || range.second == kNoAddress) return std::nullopt;
  return range;
}

// Calls `each` with the part of the range in every /16.
template <typename Each>
void for_each_piece(std::uint32_t first, std::uint32_t last, Each&& each) {
  while (true) {
    const auto end = first | kLow;
    if (end >= last) break;
    each(first, end);
    first = end + 1;
  }
  each(first, last);
}

}  // namespace

std::string_view Geo::find(const IpAddress& address) const {
  const auto plain = address.unmapped();
  if (plain.is_v6() && !ranges_) return values_[v6_.find(v6_key(plain))];
  return values_[v4_.find(plain.is_v4() ? v4_key(plain) : kNoAddress)];
}

IpAddress Geo::client(const IpAddress& peer,
                      std::span<const std::string_view> forwarded_for) const {
  return proxies_.empty() ? peer : forwarded_address(peer, forwarded_for, proxies_, recursive_);
}

GeoBuilder::GeoBuilder() { index_of(""); }

std::uint32_t GeoBuilder::index_of(std::string_view value) {
  const auto [row, added] =
      indices_.try_emplace(std::string(value), static_cast<std::uint32_t>(values_.size()));
  if (added) values_.emplace_back(value);
  return row->second;
}

bool GeoBuilder::use_ranges() {
  if (has_networks_) return false;
  ranges_ = true;
  return true;
}

GeoBuilder::Outcome GeoBuilder::add_proxy(std::string_view network) {
  const auto range = parse_network(network);
  if (!range) return Outcome::invalid;
  proxies_.push_back(*range);
  return range->has_low_bits() ? Outcome::low_bits : Outcome::ok;
}

GeoBuilder::Outcome GeoBuilder::set_default(std::string_view value) {
  const auto index = index_of(value);
  if (ranges_) {
    default_ = index;
    return std::exchange(has_default_, true) ? Outcome::replaced : Outcome::ok;
  }
  has_networks_ = true;
  const bool v4_added = v4_.insert_or_assign({0, 0}, index).second;
  const bool v6_added = v6_.insert_or_assign({WideKey{}, 0}, index).second;
  return v4_added && v6_added ? Outcome::ok : Outcome::replaced;
}

GeoBuilder::Outcome GeoBuilder::add(std::string_view network, std::string_view value) {
  if (ranges_) {
    const auto range = parse_range(network);
    return range ? add_range(range->first, range->second, index_of(value)) : Outcome::invalid;
  }
  has_networks_ = true;
  const auto range = parse_network(network);
  if (!range) return Outcome::invalid;
  const auto index = index_of(value);
  const auto& base = range->base();
  const int bits = range->bits();
  const bool added = base.is_v4()
                         ? v4_.insert_or_assign({first_of(v4_key(base), bits), bits}, index).second
                         : v6_.insert_or_assign({first_of(v6_key(base), bits), bits}, index).second;
  if (!added) return Outcome::replaced;
  return range->has_low_bits() ? Outcome::low_bits : Outcome::ok;
}

GeoBuilder::Outcome GeoBuilder::remove(std::string_view network) {
  if (ranges_) {
    const auto range = parse_range(network);
    return range ? remove_range(range->first, range->second) : Outcome::invalid;
  }
  has_networks_ = true;
  const auto range = parse_network(network);
  if (!range) return Outcome::invalid;
  const auto& base = range->base();
  const int bits = range->bits();
  const auto removed = base.is_v4() ? v4_.erase({first_of(v4_key(base), bits), bits})
                                    : v6_.erase({first_of(v6_key(base), bits), bits});
  if (removed == 0) return Outcome::missing;
  return range->has_low_bits() ? Outcome::low_bits : Outcome::ok;
}

GeoBuilder::Outcome GeoBuilder::add_range(std::uint32_t first, std::uint32_t last,
                                          std::uint32_t value) {
  auto outcome = Outcome::ok;
  for_each_piece(first, last, [&](std::uint32_t from, std::uint32_t to) {
    if (outcome == Outcome::overlaps) return;
    const auto of_piece = add_piece(from, to, value);
    if (of_piece != Outcome::ok) outcome = of_piece;
  });
  return outcome;
}

GeoBuilder::Outcome GeoBuilder::add_piece(std::uint32_t first, std::uint32_t last,
                                          std::uint32_t value) {
  auto at = pieces_.upper_bound(last);
  if (at == pieces_.begin() || (--at)->second.last < first) {
    pieces_.emplace(first, Range{last, value});
    return Outcome::ok;
  }
  const auto outer_first = at->first;
  const Range outer = at->second;
  if (first < outer_first || last > outer.last) return Outcome::overlaps;
  if (first == outer_first && last == outer.last) {
    at->second.value = value;
    return Outcome::replaced;
  }
  // The new one is a hole in the other, at its begin, at its end or between.
  if (first == outer_first) {
    at->second = {last, value};
  } else {
    at->second.last = first - 1;
    pieces_.emplace(first, Range{last, value});
  }
  if (last != outer.last) pieces_.emplace(last + 1, outer);
  return Outcome::ok;
}

GeoBuilder::Outcome GeoBuilder::remove_range(std::uint32_t first, std::uint32_t last) {
  auto outcome = Outcome::ok;
  for_each_piece(first, last, [&](std::uint32_t from, std::uint32_t to) {
    const auto at = pieces_.find(from);
    if (at == pieces_.end() || at->second.last != to) {
      outcome = Outcome::missing;
    } else {
      pieces_.erase(at);
    }
  });
  return outcome;
}

std::shared_ptr<const Geo> GeoBuilder::build() const {
  std::shared_ptr<Geo> geo(new Geo);
  geo->ranges_ = ranges_;
  geo->values_ = values_;
  geo->proxies_ = proxies_;
  geo->recursive_ = recursive_;
  if (ranges_) {
    geo->v4_ = IntervalTable<std::uint32_t>(default_);
    for (const auto& [first, range] : pieces_) {
      geo->v4_.begin(first, range.value);
      auto next = range.last;
      if (advance(next)) geo->v4_.begin(next, default_);
    }
  } else {
    geo->v4_ = flatten<std::uint32_t>(v4_);
    geo->v6_ = flatten<WideKey>(v6_);
  }
  return geo;
}

}  // namespace weir::access
