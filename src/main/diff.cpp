#include "main/diff.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <cstdio>
#include <map>
#include <optional>

#include "config/print.h"
#include "main/control_client.h"
#include "main/report.h"
#include "proxy/runtime_builder.h"
#include "upstream/moved.h"

namespace weir::main {
namespace {

namespace json = boost::json;
using upstream::Binding;
using upstream::PoolShape;

std::string text_of(const json::object& object, const char* name) {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::optional<config::Balance> balance_of(const std::string& text) {
  for (int i = 0; i <= static_cast<int>(config::Balance::least_time_last_byte_inflight); ++i) {
    const auto balance = static_cast<config::Balance>(i);
    if (text == config::to_string(balance)) return balance;
  }
  return std::nullopt;
}

// What the checks of the running weir have found of a peer, whatever else keeps requests from it.
upstream::Health health_of(const json::object& peer) {
  const auto is = [](const json::object& object, upstream::Health health) {
    return text_of(object, "state") == upstream::to_string(health);
  };
  const auto worst = {upstream::Health::down, upstream::Health::checking};
  const auto* checks = peer.if_contains("health_checks");
  for (const auto health : worst) {
    if (is(peer, health)) return health;
    if (checks == nullptr) continue;
    for (const auto& check : checks->as_array()) {
      if (is(check.as_object(), health)) return health;
    }
  }
  return upstream::Health::unchecked;
}

upstream::PeerSpec peer_of(const json::object& peer) {
  upstream::PeerSpec spec;
  spec.name = text_of(peer, "name");
  const auto address = text_of(peer, "address");
  if (address.starts_with("unix:")) {
    spec.endpoint.unix_path = address.substr(5);
  } else if (const auto ip = IpAddress::parse_with_port(address)) {
    spec.endpoint.ip = *ip;
  }
  spec.weight = peer.at("weight").to_number<std::uint32_t>();
  spec.sid = text_of(peer, "route");
  spec.backup = peer.at("backup").as_bool();
  spec.down = peer.at("configured_down").as_bool();
  spec.vanished = peer.at("vanished").as_bool();
  if (!peer.at("slot").is_null()) spec.slot = peer.at("slot").to_number<std::int32_t>();
  return spec;
}

// A pool as it runs. Throws what Boost.JSON throws if it is not of this form.
struct Running {
  explicit Running(const json::object& pool) {
    const auto balance = balance_of(text_of(pool, "balance"));
    known = balance.has_value();
    shape.balance = balance.value_or(config::Balance::round_robin);
    shape.key = text_of(pool, "key");
    shape.sticky = text_of(pool, "sticky_by");
    const auto* registry = pool.if_contains("registry");
    const auto* object = registry != nullptr ? registry->if_object() : nullptr;
    if (object != nullptr) nodes = text_of(*object, "nodes");
    for (const auto& each : pool.at("peers").as_array()) {
      const auto& peer = each.as_object();
      shape.peers.push_back(peer_of(peer));
      shape.health[shape.peers.back().endpoint.text()] = health_of(peer);
      const auto* set = peer.at("set").if_object();
      if (set != nullptr && set->contains("weight")) {
        weights[text_of(peer, "address")] = shape.peers.back().weight;
      }
    }
  }

  PoolShape shape;
  std::map<std::string, std::uint32_t> weights;  // set by operators: they outlive a reload
  bool known = true;                             // the balancer
  std::string nodes;                             // of its registry; empty: it has none
};

// The pool that a reload would make, with the places that addresses have in the running one.
PoolShape shape_after(const config::UpstreamConfig& config, const config::Model& model,
                      const Running& running, const discovery::Resolver& resolver) {
  discovery::Places places;
  for (std::size_t line = 0; line < config.peers.size(); ++line) {
    std::vector<discovery::Places::Place> had;
    for (const auto& peer : running.shape.peers) {
      if (peer.name != config.peers[line].name || peer.slot >= 0) continue;
      auto address = peer.endpoint.ip;
      address.set_port(0);
      const auto same = [&](const auto& place) { return place.address == address; };
      if (std::any_of(had.begin(), had.end(), same)) continue;
      had.push_back({.address = address, .vanished = peer.vanished});
    }
    places.seed(discovery::place_key(config, line), std::move(had));
  }
  PoolShape shape;
  shape.balance = config.balance;
  if (upstream::binding_of(
          {.balance = config.balance, .key = {}, .sticky = {}, .peers = {}, .health = {}}) ==
      Binding::key) {
    shape.key = config::print_plainly(config.balance_key, model);
  }
  if (config.sticky) shape.sticky = config::print_plainly(*config.sticky, model);
  if (!config.health_checks.empty()) shape.health = running.shape.health;
  shape.peers = discovery::static_peers(config, resolver, &places).specs;
  for (const auto& peer : running.shape.peers) {
    if (config.registry && peer.slot >= 0) shape.peers.push_back(peer);  // the same nodes are there
  }
  if (config.sticky) proxy::name_peers(shape.peers);
  for (auto& peer : shape.peers) {
    const auto set = running.weights.find(peer.endpoint.text());
    if (set != running.weights.end()) peer.weight = set->second;
  }
  return shape;
}

std::string percent(double share) {
  char text[16];
  std::snprintf(text, sizeof text, "%.1f %%", share * 100);
  return text;
}

std::string method(const PoolShape& shape) {
  std::string text = config::to_string(shape.balance);
  if (!shape.key.empty()) text += " " + shape.key;
  if (!shape.sticky.empty()) text += ", sticky " + shape.sticky;
  return text;
}

std::string verdict(const upstream::Moved& moved) {
  if (moved.binding == Binding::none) return "no client is bound to a peer";
  if (moved.all) return "what binds clients changes: any of them may come to another peer";
  if (moved.share == 0) return "no client moves";
  return percent(moved.share) + " of the clients move";
}

std::string peers_text(const upstream::Moved& moved) {
  std::string text;
  const bool counted = moved.binding != Binding::none && !moved.all;
  for (const auto& peer : moved.peers) {
    const auto* sign = peer.was && !peer.is ? "  - " : !peer.was && peer.is ? "  + " : "    ";
    if (peer.was == peer.is && (!counted || peer.before == peer.after)) continue;
    text += sign + peer.peer;
    if (counted) {
      text += ": " + percent(peer.before) + " of the clients -> " + percent(peer.after);
    }
    text += "\n";
  }
  return text;
}

std::string pool_text(const config::UpstreamConfig& config, const config::Model& model,
                      const Running& running, const discovery::Resolver& resolver) {
  const auto after = shape_after(config, model, running, resolver);
  const auto& before = running.shape;
  std::string text = "upstream \"" + config.name + "\" (" + method(before);
  if (method(before) != method(after)) text += " -> " + method(after);
  text += "): ";
  if (!running.known) return text + "the running weir balances in a way unknown here\n";
  // Nobody has asked for the others yet.
  const auto nodes = config.registry ? config.registry->nodes_text() : running.nodes;
  if (nodes != running.nodes && upstream::binding_of(after) != Binding::none) {
    return text + "the nodes of its registry are others (" +
           (running.nodes.empty() ? "none" : running.nodes) + " -> " + nodes +
           "): which clients move is known after a reload only\n";
  }
  const auto moved = count_moved(before, after);
  return text + verdict(moved) + "\n" + peers_text(moved);
}

}  // namespace

bool diff_text(std::string_view running, const config::Model& model, std::string& out,
               const discovery::Resolver& resolver) {
  std::map<std::string, Running> pools;
  try {
    const auto status = json::parse(json::string_view(running.data(), running.size()));
    for (const auto& each : status.at("upstreams").as_array()) {
      pools.emplace(text_of(each.as_object(), "name"), Running(each.as_object()));
    }
  } catch (const std::exception& error) {
    out = std::string("the running weir's status cannot be compared: ") + error.what() +
          "; is it of another version?";
    return false;
  }
  out.clear();
  for (const auto& config : model.upstreams) {
    const auto found = pools.find(config.name);
    if (found == pools.end()) {
      out += "upstream \"" + config.name + "\" is new\n";
      continue;
    }
    out += pool_text(config, model, found->second, resolver);
    pools.erase(found);
  }
  for (const auto& [name, pool] : pools) out += "upstream \"" + name + "\" goes away\n";
  if (out.empty()) out = "there are no upstreams, neither running nor configured\n";
  return true;
}

int diff(const std::string& program, const config::Model& model, const std::string& socket) {
  if (socket.empty()) {
    say(program, "--diff: no socket to ask the running weir: `control off`; use --socket PATH");
    return 1;
  }
  ControlClient::Reply reply;
  auto text = ControlClient(socket).ask("GET", "/api/status", reply);
  if (text.empty() && diff_text(reply.body, model, text)) {
    std::fputs(text.c_str(), stdout);
    return 0;
  }
  say(program, "--diff: " + text);
  return 1;
}

}  // namespace weir::main
