// geo [$address] $variable { NETWORK VALUE; ... }, or with `ranges` FROM-TO VALUE;
#include <algorithm>
#include <map>
#include <set>

#include "config/handlers.h"

namespace weir::config {
namespace {

using Range = GeoConfig::Range;

// IPv4 in host order.
std::optional<std::uint32_t> ipv4(std::string_view text) {
  const auto address = IpAddress::parse(text);
  if (!address || !address->is_v4()) return std::nullopt;
  std::uint32_t value = 0;
  for (const auto byte : address->bytes()) value = value << 8 | byte;
  return value;
}

// nginx keeps ranges in pieces of 64 Ki addresses. Within a piece a new range may lie inside one
// that is there, but not lap over its end.
struct Piece {
  std::uint32_t from = 0, to = 0;
};
std::optional<Piece> piece_of(const Range& range, std::uint32_t block) {
  const std::uint32_t first = block << 16;
  const std::uint32_t last = first | 0xffffu;
  if (range.to < first || range.from > last) return std::nullopt;
  return Piece{std::max(range.from, first), std::min(range.to, last)};
}

bool laps_over(const Range& fresh, const Range& known) {
  for (const auto end : {fresh.from, fresh.to, known.from, known.to}) {
    const auto a = piece_of(fresh, end >> 16);
    const auto b = piece_of(known, end >> 16);
    if (!a || !b || a->to < b->from || b->to < a->from) continue;
    if (a->from < b->from || a->to > b->to) return true;
  }
  return false;
}

// The block of one geo being read.
class GeoReader {
 public:
  GeoReader(const Call& call, GeoConfig& geo, bool& is_volatile)
      : call_(call), geo_(geo), volatile_(is_volatile) {}

  void entry(const Directive& entry) {
    const Call here{call_.compiler, call_.scope, entry, call_.info};
    if (entry.has_block) return here.error("takes no block; end it with \";\"");
    if (entry.args.empty() && word(here)) return;
    if (entry.args.size() != 1) {
      return here.error("an entry of a geo is NETWORK VALUE; or FROM-TO VALUE;");
    }
    const auto& value = entry.args[0];
    if (entry.name == "default") {
      if (has_default_) here.warning("is duplicate in this geo; this one holds");
      has_default_ = true;
      geo_.default_ = value.text;
    } else if (entry.name == "proxy") {
      if (const auto network = network_of(here, value)) geo_.proxies.push_back(*network);
    } else {
      const bool erases = entry.name == "delete";
      const Argument key = erases ? value : Argument{entry.name, entry.position, false};
      any_ = true;
      geo_.ranges ? range(here, key, erases, value.text) : network(here, key, erases, value.text);
    }
  }

  void finish() {
    std::size_t at = 0;
    std::erase_if(geo_.networks, [&](const auto&) { return deleted_.contains(at++); });
    for (auto& [from, range] : ranges_) geo_.address_ranges.push_back(std::move(range));
  }

 private:
  bool word(const Call& here) {
    const auto& name = here.directive.name;
    if (name == "ranges") {
      if (any_) here.error("must come first in the block");
      geo_.ranges = true;
    } else if (name == "proxy_recursive") {
      geo_.proxy_recursive = true;
    } else if (name == "volatile") {
      volatile_ = true;
    } else {
      return false;
    }
    return true;
  }

  static std::optional<Cidr> network_of(const Call& here, const Argument& argument) {
    auto network = network_argument(here, argument);
    if (network && network->text() == "unix:") {
      here.error(argument, "a network is wanted, not unix:");
      return std::nullopt;
    }
    return network;
  }

  void network(const Call& here, const Argument& key, bool erases, const std::string& value) {
    const auto network = network_of(here, key);
    if (!network) return;
    auto& list = geo_.networks;
    const auto [known, fresh] = places_.emplace(network->text(), list.size());
    if (erases) {
      if (fresh) here.warning("there is no network " + network->text() + " to delete");
      if (!fresh) deleted_.insert(known->second);
      places_.erase(known);
    } else if (fresh) {
      list.push_back({*network, value});
    } else {
      here.warning("is duplicate in this geo; this one holds");
      list[known->second].value = value;
    }
  }

  void range(const Call& here, const Argument& key, bool erases, const std::string& value) {
    const auto dash = key.text.find('-');
    const auto from = ipv4(std::string_view(key.text).substr(0, dash));
    const auto to = dash == std::string::npos ? std::nullopt
                                              : ipv4(std::string_view(key.text).substr(dash + 1));
    if (!from || !to || *from > *to) {
      return here.error(key, "invalid range " + quote(key.text) + "; write 10.0.0.1-10.0.0.9");
    }
    if (erases) return erase(here, *from, *to);
    const Range fresh{*from, *to, value};
    for (auto it = first_at(*from); it != ranges_.end() && it->second.from <= *to; ++it) {
      if (laps_over(fresh, it->second)) {
        return here.error(key, "range " + quote(key.text) +
                                   " laps over another one; a range may lie inside another only");
      }
      if (it->second.from == *from && it->second.to == *to) {
        here.warning("is duplicate in this geo; this one holds");
      }
    }
    cut_out(*from, *to);
    ranges_[*from] = fresh;
  }

  // The first range that reaches `address` or lies behind it.
  std::map<std::uint32_t, Range>::iterator first_at(std::uint32_t address) {
    auto it = ranges_.upper_bound(address);
    if (it != ranges_.begin() && std::prev(it)->second.to >= address) --it;
    return it;
  }

  // Only what was written as such is deleted, as in nginx.
  void erase(const Call& here, std::uint32_t from, std::uint32_t to) {
    const auto known = ranges_.find(from);
    if (known == ranges_.end() || known->second.to != to) {
      return here.warning("there is no such range to delete");
    }
    ranges_.erase(known);
  }

  void cut_out(std::uint32_t from, std::uint32_t to) {
    for (auto it = first_at(from); it != ranges_.end() && it->second.from <= to;) {
      const Range old = it->second;
      it = ranges_.erase(it);
      if (old.from < from) ranges_[old.from] = {old.from, from - 1, old.value};
      if (old.to > to)
        it = ranges_.insert_or_assign(to + 1, Range{to + 1, old.to, old.value}).first;
    }
  }

  const Call& call_;
  GeoConfig& geo_;
  bool& volatile_;
  bool has_default_ = false;
  bool any_ = false;                           // an entry was seen
  std::map<std::string, std::size_t> places_;  // of networks
  std::set<std::size_t> deleted_;
  std::map<std::uint32_t, Range> ranges_;  // by their first address
};

}  // namespace

void compile_geo(const Call& call) {
  auto& compiler = call.compiler;
  const auto index = made_variable(call, call.arg(call.count() - 1));
  if (!index) return;
  GeoConfig geo;
  geo.position = call.directive.position;
  if (call.count() == 2) {
    if (!call.arg(0).text.starts_with('$')) {
      return call.error(call.arg(0), "invalid variable name " + quote(call.arg(0).text) +
                                         "; it must begin with $");
    }
    auto source = compiler.value(call, call.arg(0));
    if (!source) return;
    geo.source = std::move(*source);
  } else {
    geo.source = Value({{{}, VariableRef{Variable::remote_addr, 0, {}}, true}});
  }
  bool is_volatile = false;
  GeoReader reader(call, geo, is_volatile);
  for (const auto& entry : call.directive.block) {
    if (compiler.diagnostics().full()) return;
    reader.entry(entry);
  }
  reader.finish();
  auto& model = compiler.model();
  auto& user = model.variables[*index];
  user.source = UserVariable::Source::geo;
  user.index = static_cast<std::uint32_t>(model.geos.size());
  user.volatile_ = is_volatile;
  model.geos.push_back(std::move(geo));
}

}  // namespace weir::config
