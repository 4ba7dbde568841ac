#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>

#include "admin/history.h"
#include "admin/peer_view.h"
#include "admin/rounded.h"
#include "admin/utf8.h"

namespace weir::admin {
namespace {

namespace json = boost::json;

template <class Points, class Member>
json::array line(const Points& points, Member member) {
  json::array out;
  out.reserve(points.size());
  for (const auto& point : points) out.push_back(rounded(static_cast<double>(point.*member)));
  return out;
}

json::object lines(const History::Pool& pool) {
  const auto& points = pool.points;
  return {{"per_second", line(points, &Point::per_second)},
          {"errors", line(points, &Point::errors_per_second)},
          {"p50", line(points, &Point::p50)},
          {"p99", line(points, &Point::p99)},
          {"in_flight", line(points, &Point::in_flight)}};
}

// A letter for each state: the first one of `states` is a.
std::string states(const History::Peer& peer) {
  std::string out;
  for (const auto& point : peer.points) out += static_cast<char>('a' + point.state);
  return out;
}

json::array peers_json(const History::Pool& pool) {
  json::array out;
  for (const auto& [address, peer] : pool.peers) {
    out.push_back(json::object{{"address", to_utf8(address)},
                               {"per_second", line(peer.points, &PeerPoint::per_second)},
                               {"errors", line(peer.points, &PeerPoint::errors_per_second)},
                               {"states", states(peer)}});
  }
  return out;
}

json::object pool_json(const std::string& name, const History::Pool& pool, bool with_peers) {
  auto out = lines(pool);
  out["name"] = to_utf8(name);
  if (with_peers) out["peers"] = peers_json(pool);
  return out;
}

}  // namespace

std::string history_json(const Source& source, std::string_view only) {
  json::array pools;
  const auto* history = source.history;
  json::object out = {{"every", History::kEvery.count() / 1000}};
  json::array words;
  for (const auto state : kPeerStates) words.emplace_back(to_string(state));
  out["states"] = std::move(words);
  if (history != nullptr) {
    out["at"] = history->last_at().time_since_epoch().count() / 1000;
    if (only.empty()) out["weir"] = lines(history->weir());
    const auto runtime = source.present();
    if (runtime != nullptr) {
      for (const auto& node : runtime->pools) {
        const auto& name = node.pool->name();
        const auto* pool = history->pool(name);
        if (pool == nullptr || (!only.empty() && name != only)) continue;
        pools.push_back(pool_json(name, *pool, !only.empty()));
      }
    }
  }
  out["pools"] = std::move(pools);
  return json::serialize(out) + "\n";
}

}  // namespace weir::admin
