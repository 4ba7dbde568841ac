#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "admin/pages.h"
#include "admin/peer_view.h"
#include "admin/totals.h"
#include "admin/upstreams_json.h"
#include "admin/utf8.h"
#include "base/mask.h"
#include "config/print.h"

namespace weir::admin {
namespace json = boost::json;

namespace {

json::object result_json(const upstream::CheckResult& result) {
  return {{"layer", upstream::to_string(result.layer)},
          {"status", result.status},
          {"took_ms", result.took.count()},
          {"detail", to_utf8(result.detail)}};
}

// Each check with what it finds; empty: the peer is not checked.
json::array health_checks_json(const upstream::PeerHealth* checked) {
  json::array out;
  for (std::size_t i = 0; checked != nullptr && i < checked->machines().size(); ++i) {
    const auto& machine = checked->machines()[i];
    json::object one{
        {"name", to_utf8(checked->name(i))},        {"state", upstream::to_string(machine.state())},
        {"reason", to_utf8(machine.reason())},      {"checks", machine.checks()},
        {"failed_checks", machine.failed_checks()}, {"last", nullptr}};
    if (machine.checks() > 0) one["last"] = result_json(machine.last());
    out.push_back(std::move(one));
  }
  return out;
}

json::object requests(const TrafficTotals& totals) {
  json::object out;
  for (std::size_t i = 0; i < totals.by_class.size(); ++i) {
    out[kClassNames[i]] = totals.by_class[i];
  }
  return out;
}

json::value time_or_null(std::int64_t seconds) {
  return seconds > 0 ? json::value(seconds) : json::value(nullptr);
}

}  // namespace

json::value last_check_json(const upstream::PeerHealth* checked) {
  if (checked == nullptr || checked->last().layer == upstream::CheckLayer::none) return nullptr;
  return result_json(checked->last());
}

json::value set_json(const Source& source, const upstream::Pool& pool,
                     const upstream::PeerSpec& spec) {
  const auto* setting = source.operators != nullptr ? source.operators->find(pool.name()) : nullptr;
  if (setting == nullptr) return nullptr;
  const auto own = upstream::OperatorState::setting_of(*setting, spec);
  if (own.empty()) return nullptr;
  json::object out;
  if (own.hold != upstream::Hold::none) out["state"] = upstream::to_string(own.hold);
  if (own.weight) out["weight"] = *own.weight;
  out["at"] = time_or_null(own.since);
  return out;
}

json::value set_json(const Source& source, const upstream::Pool& pool) {
  const auto* setting = source.operators != nullptr ? source.operators->find(pool.name()) : nullptr;
  if (setting == nullptr) return nullptr;
  const auto is_there = [&](const std::string& name) {
    const auto peers = pool.peers();
    return std::any_of(peers.begin(), peers.end(),
                       [&](const auto& peer) { return upstream::is_named(peer->spec, name); });
  };
  json::object out;
  json::array absent;
  const auto note = [&](const std::string& name) {
    if (!is_there(name)) absent.emplace_back(to_utf8(name));
  };
  if (!setting->only.empty()) out["only"] = to_utf8(setting->only), note(setting->only);
  if (!setting->first.empty()) out["first"] = to_utf8(setting->first), note(setting->first);
  if (setting->since > 0) out["at"] = setting->since;
  for (const auto& [name, peer] : setting->peers) note(name);
  if (const auto* maintenance = setting->maintenance.get()) {
    json::array allow;
    for (const auto& range : maintenance->allow) allow.emplace_back(range.text());
    out["maintenance"] = json::object{{"at", time_or_null(maintenance->since)},
                                      {"retry_after", maintenance->retry_after.count()},
                                      {"allow", std::move(allow)},
                                      {"message", to_utf8(maintenance->message)}};
  }
  if (!absent.empty()) out["absent"] = std::move(absent);
  if (out.empty()) return nullptr;
  return out;
}

json::value registry_json(const Source& source, const std::string& upstream) {
  const auto status = source.registry_of(upstream);
  if (!status) return nullptr;
  json::object out;
  out["url"] = to_utf8(status->url);
  out["nodes"] = to_utf8(status->nodes);
  out["server"] = to_utf8(status->server);
  out["fresh"] = status->fresh;
  out["stale_since"] = nullptr;
  out["stale_for"] = nullptr;
  if (status->stale_since) {
    const auto since = status->stale_since->time_since_epoch();
    out["stale_since"] = static_cast<double>(since.count()) / 1000;
    out["stale_for"] =
        static_cast<double>((source.clock->wall() - *status->stale_since).count()) / 1000;
  }
  out["error"] = to_utf8(mask_passwords(status->error));
  out["waiting_for_first_list"] = !status->has_list;
  out["emptying_unconfirmed"] = status->doubted;
  out["events_error"] = nullptr;
  if (!status->events_error.empty()) {
    out["events_error"] = to_utf8(mask_passwords(status->events_error));
  }
  out["serving"] = status->serving;
  out["reads"] = status->reads;
  out["failures"] = status->failures;
  return out;
}

namespace {

json::object peer_json(const Source& source, const proxy::PoolNode& node, std::size_t index,
                       TimePoint now) {
  const auto& peer = *node.pool->peers()[index];
  const auto view = view_peer(source, *node.pool, index, now);
  PeerTotals totals;
  add_all(totals, *node.stats[index]);
  json::object out;
  out["name"] = to_utf8(peer.spec.name);
  out["address"] = to_utf8(peer.text);
  out["state"] = to_string(view.state);
  out["reason"] = to_utf8(view.reason);
  out["since"] = nullptr;
  if (view.since) out["since"] = static_cast<double>(view.since->count()) / 1000;
  out["gets_requests"] = view.eligible;
  out["slot"] = nullptr;
  if (peer.spec.slot >= 0) out["slot"] = peer.spec.slot;
  out["route"] = nullptr;
  if (const auto& sid = node.pool->sid(static_cast<std::uint32_t>(index)); !sid.empty()) {
    out["route"] = to_utf8(sid);
  }
  out["backup"] = peer.spec.backup;
  out["configured_down"] = peer.spec.down;
  out["vanished"] = peer.spec.vanished;
  out["weight"] = peer.spec.weight;
  out["in_flight"] = view.in_flight;
  out["fails"] = view.fails;
  out["requests"] = requests(totals);
  out["retries"] = totals.retries;
  out["failures"] = totals.failures;
  out["last_check"] = last_check_json(view.checked);
  out["set"] = set_json(source, *node.pool, peer.spec);
  out["checks"] = view.checked != nullptr ? view.checked->checks() : 0;
  out["health_checks"] = health_checks_json(view.checked);
  out["failed_checks"] = view.checked != nullptr ? view.checked->failed_checks() : 0;
  return out;
}

// What of a request is hashed, as written; null: nothing.
json::value key_json(const proxy::Runtime& runtime, const proxy::PoolNode& node) {
  if (node.hash_key == nullptr) return nullptr;
  return json::value(to_utf8(config::print_plainly(*node.hash_key, *runtime.model)));
}

json::value sticky_json(const proxy::PoolNode& node) {
  if (node.config == nullptr || !node.config->sticky) return nullptr;
  return config::to_string(node.config->sticky->kind);
}

json::value sticky_by_json(const proxy::Runtime& runtime, const proxy::PoolNode& node) {
  if (node.config == nullptr || !node.config->sticky) return nullptr;
  return json::value(to_utf8(config::print_plainly(*node.config->sticky, *runtime.model)));
}

// Names among its servers that have never had an address, and so give no peer.
json::array unresolved_json(const Source& source, const proxy::PoolNode& node) {
  json::array out;
  if (node.config == nullptr || !source.names) return out;
  const auto names = source.names();
  for (const auto& peer : node.config->peers) {
    if (!peer.where.unix_path.empty() || IpAddress::parse(peer.where.host)) continue;
    const auto asked = discovery::question_of(*node.config, peer).text();
    const auto found = std::find_if(names.begin(), names.end(), [&](const auto& name) {
      return name.host == asked && name.addresses.empty();
    });
    if (found == names.end()) continue;
    json::object entry{{"name", to_utf8(peer.where.host)}, {"error", to_utf8(found->error)}};
    if (std::find(out.begin(), out.end(), json::value(entry)) == out.end()) {
      out.push_back(std::move(entry));
    }
  }
  return out;
}

json::object pool_json(const Source& source, const proxy::Runtime& runtime,
                       const proxy::PoolNode& node, TimePoint now) {
  json::array peers;
  for (std::size_t i = 0; i < node.pool->peers().size(); ++i) {
    peers.push_back(peer_json(source, node, i, now));
  }
  return {{"name", to_utf8(node.pool->name())},
          {"balance", config::to_string(node.pool->balance())},
          {"key", key_json(runtime, node)},
          {"sticky", sticky_json(node)},
          {"sticky_by", sticky_by_json(runtime, node)},
          {"live", node.pool->live(now)},
          {"set", set_json(source, *node.pool)},
          {"registry", registry_json(source, node.pool->name())},
          {"unresolved", unresolved_json(source, node)},
          {"peers", std::move(peers)}};
}

}  // namespace

std::string upstreams_json(const Source& source, std::string_view pool) {
  json::array pools;
  const auto runtime = source.present();
  if (runtime != nullptr) {
    const TimePoint now = source.clock->now();
    for (const auto& node : runtime->pools) {
      if (pool.empty() || node.pool->name() == pool) {
        pools.push_back(pool_json(source, *runtime, node, now));
      }
    }
  }
  const json::object out = {{"generation", runtime != nullptr ? runtime->generation : 0},
                            {"upstreams", std::move(pools)}};
  return json::serialize(out) + "\n";
}

}  // namespace weir::admin
