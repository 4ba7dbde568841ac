#include "admin/state_text.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "admin/utf8.h"

namespace weir::admin {
namespace {

namespace json = boost::json;
using upstream::Hold;
using upstream::OperatorState;

constexpr std::int64_t kVersion = 1;

json::object to_json(const upstream::PeerSetting& peer) {
  json::object out;
  if (peer.hold != Hold::none) out["state"] = upstream::to_string(peer.hold);
  if (peer.weight) out["weight"] = *peer.weight;
  out["since"] = peer.since;
  return out;
}

json::object to_json(const upstream::Maintenance& setting) {
  json::array allow, api;
  for (const auto& range : setting.allow) allow.emplace_back(range.text());
  for (const auto& path : setting.api) api.emplace_back(to_utf8(path));
  return {{"since", setting.since},
          {"retry_after", setting.retry_after.count()},
          {"allow", std::move(allow)},
          {"api", std::move(api)},
          {"message", to_utf8(setting.message)}};
}

json::object to_json(const upstream::PoolSetting& pool) {
  json::object out;
  if (!pool.only.empty()) out["only"] = to_utf8(pool.only);
  if (!pool.first.empty()) out["first"] = to_utf8(pool.first);
  out["since"] = pool.since;
  if (pool.maintenance != nullptr) out["maintenance"] = to_json(*pool.maintenance);
  json::object peers;
  for (const auto& [name, peer] : pool.peers) peers[to_utf8(name)] = to_json(peer);
  out["peers"] = std::move(peers);
  return out;
}

// Reads what it knows; the first thing that is not as it should be is the problem.
class Reader {
 public:
  std::string read(const json::value& value, OperatorState& out) {
    const auto* all = value.if_object();
    if (all == nullptr) return "it holds no JSON object";
    if (number(*all, "version", 0, 1000) != kVersion) return "it is of another version of weir";
    for (const auto& [name, pool] : member(*all, "pools")) {
      if (const auto* fields = object(pool)) read_pool(*fields, out.at(std::string(name)));
    }
    return problem_;
  }

 private:
  void wrong(std::string_view what) {
    if (problem_.empty()) problem_ = "invalid " + std::string(what);
  }
  const json::object* object(const json::value& value) {
    if (!value.is_object()) wrong("entry");
    return value.if_object();
  }
  // Of an object that may be missing.
  json::object member(const json::object& from, std::string_view name) {
    const auto* value = from.if_contains(name);
    if (value == nullptr) return {};
    if (!value->is_object()) wrong(name);
    return value->is_object() ? value->get_object() : json::object{};
  }
  std::int64_t number(const json::object& from, std::string_view name, std::int64_t least,
                      std::int64_t greatest) {
    const auto* value = from.if_contains(name);
    if (value == nullptr) return 0;
    const bool good =
        value->is_int64() && value->get_int64() >= least && value->get_int64() <= greatest;
    if (!good) wrong(name);
    return good ? value->get_int64() : 0;
  }
  std::string text(const json::object& from, std::string_view name) {
    const auto* value = from.if_contains(name);
    if (value == nullptr) return {};
    if (!value->is_string()) wrong(name);
    return value->is_string() ? std::string(value->get_string()) : std::string();
  }
  std::vector<std::string> texts(const json::object& from, std::string_view name) {
    std::vector<std::string> out;
    const auto* value = from.if_contains(name);
    const auto* list = value != nullptr ? value->if_array() : nullptr;
    if (list == nullptr) {
      wrong(name);
      return out;
    }
    for (const auto& item : *list) {
      if (!item.is_string()) wrong(name);
      if (item.is_string()) out.emplace_back(item.get_string());
    }
    return out;
  }

  void read_pool(const json::object& from, upstream::PoolSetting& out) {
    out.only = text(from, "only");
    out.first = text(from, "first");
    out.since = number(from, "since", 0, kLatest);
    if (const auto* value = from.if_contains("maintenance")) {
      if (const auto* fields = object(*value)) read_maintenance(*fields, out);
    }
    for (const auto& [name, value] : member(from, "peers")) {
      if (const auto* fields = object(value)) read_peer(*fields, out.peers[std::string(name)]);
    }
  }
  void read_peer(const json::object& from, upstream::PeerSetting& out) {
    const auto state = text(from, "state");
    if (state == upstream::to_string(Hold::draining)) {
      out.hold = Hold::draining;
    } else if (state == upstream::to_string(Hold::down)) {
      out.hold = Hold::down;
    } else if (!state.empty()) {
      wrong("state");
    }
    if (from.contains("weight")) {
      out.weight = static_cast<std::uint32_t>(number(from, "weight", 1, 65535));
    }
    out.since = number(from, "since", 0, kLatest);
  }
  void read_maintenance(const json::object& from, upstream::PoolSetting& out) {
    auto setting = std::make_shared<upstream::Maintenance>();
    setting->since = number(from, "since", 0, kLatest);
    setting->retry_after = std::chrono::seconds(number(from, "retry_after", 0, kLatest));
    setting->message = text(from, "message");
    setting->api = texts(from, "api");
    for (const auto& range : texts(from, "allow")) {
      if (const auto parsed = Cidr::parse(range)) {
        setting->allow.push_back(*parsed);
      } else {
        wrong("allow");
      }
    }
    out.maintenance = std::move(setting);
  }

  static constexpr std::int64_t kLatest = std::int64_t{1} << 40;
  std::string problem_;
};

}  // namespace

std::string state_text(const OperatorState& state) {
  json::object pools;
  for (const auto& [name, pool] : state.pools()) pools[to_utf8(name)] = to_json(pool);
  const json::object all = {{"version", kVersion}, {"pools", std::move(pools)}};
  return json::serialize(all) + "\n";
}

std::string parse_state(std::string_view text, OperatorState& out) {
  out = {};
  if (text.empty()) return {};
  boost::system::error_code error;
  const auto value = json::parse(text, error);
  if (error) return error.message();
  auto problem = Reader().read(value, out);
  if (!problem.empty()) out = {};
  out.tidy();
  return problem;
}

}  // namespace weir::admin
