#include "main/explain_text.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdio>

#include "main/status_text.h"

namespace weir::main {
namespace {

namespace json = boost::json;

std::string text(const json::object& from, std::string_view name) {
  const auto& value = from.at(name);
  return value.is_string() ? std::string(value.get_string()) : std::string();
}

std::int64_t number(const json::object& from, std::string_view name) {
  const auto& value = from.at(name);
  return value.is_number() ? value.to_number<std::int64_t>() : 0;
}

std::string numeral(const json::object& from, std::string_view name) {
  const auto& value = from.at(name);
  return value.is_number() ? std::to_string(value.to_number<std::uint64_t>()) : "0";
}

std::string at(const std::string& position) {
  return position.empty() ? std::string() : "  (" + position + ")";
}

std::string line(const char* title, const std::string& value) {
  std::string out = title;
  out.resize(std::max<std::size_t>(out.size(), 10), ' ');
  return value.empty() ? "" : out + value + "\n";
}

std::string way(const json::object& all) {
  const auto& server = all.at("server").as_object();
  std::string out = line("client", text(all, "client") + ", to " + text(all, "listen"));
  out += line("server", text(server, "name") + ", " + text(server, "by") + at(text(server, "at")));
  for (const auto& each : all.at("tried").as_array()) {
    const auto& tried = each.as_object();
    out += line("tried",
                text(tried, "location") + ": " + text(tried, "result") + at(text(tried, "at")));
  }
  const auto& location = all.at("location").as_object();
  out += line("location", text(location, "location") + at(text(location, "at")));
  const auto args = text(all, "args");
  out += line("path", text(all, "path") + (args.empty() ? "" : "?" + args));
  for (const auto& note : all.at("notes").as_array()) {
    out += line("note", std::string(note.as_string()));
  }
  return out;
}

// What the method counts with, for one peer.
std::string arithmetic(const json::object& peer, const std::string& balance, bool by_slots) {
  const auto weight = numeral(peer, "weight");
  if (by_slots) {
    char score[32];
    std::snprintf(score, sizeof score, "score %.2f", peer.at("score").to_number<double>());
    return score;
  }
  if (balance.starts_with("least_conn")) return numeral(peer, "conns") + " conns / " + weight;
  if (balance.find("least_time") != std::string::npos) {
    const bool header = balance.find("header") != std::string::npos;
    return numeral(peer, header ? "header_time_ms" : "response_time_ms") + " ms, " +
           numeral(peer, "conns") + " conns / " + weight;
  }
  if (balance.starts_with("hash consistent")) return "weight " + weight;
  if (balance.starts_with("round_robin") || balance.empty()) {
    return std::to_string(number(peer, "current_weight")) + " + " +
           std::to_string(number(peer, "effective_weight"));
  }
  const auto first = number(peer, "first_point");
  const auto last = first + number(peer, "weight") - 1;
  if (peer.at("backup").as_bool()) return "weight " + weight;
  return "points " + std::to_string(first) +
         (last > first ? " to " + std::to_string(last) : std::string());
}

std::string named_text(const json::object& pool) {
  std::string out;
  const bool ring = number(pool, "ring_points") > 0;
  const bool by_slots = pool.at("by_slots").as_bool();
  const bool drawn = text(pool, "balance").starts_with("random");
  const auto of = numeral(pool, ring ? "ring_points" : "total_weight");
  for (const auto& each : pool.at("named").as_array()) {
    const auto& named = each.as_object();
    if (by_slots) {
      const auto why = named.at("taken").as_bool() ? "" : ", but: " + text(named, "why_not");
      out += line("hash", "the best score has " + text(named, "peer") + why);
      continue;
    }
    auto what = numeral(named, "value") + (ring ? " is before point " : " % " + of + " = ") +
                numeral(named, "point") + (ring ? " of " + of : "") + ": " + text(named, "peer");
    if (!named.at("taken").as_bool()) what += ", but: " + text(named, "why_not");
    out += line(drawn ? "draw" : "hash", what);
  }
  return out;
}

std::string pool_text(const json::object& pool) {
  const auto balance = text(pool, "balance");
  std::string out = line("pool", text(pool, "name") + " (" + balance + ")");
  if (pool.at("maintenance").as_bool()) return out + line("answer", "503, it is in maintenance");
  if (pool.contains("key")) out += line("key", "\"" + text(pool, "key") + "\"");
  out += named_text(pool);
  const bool by_slots = pool.at("by_slots").as_bool();
  const auto skipped = text(pool, "skipped");
  const auto reason = text(pool, "reason") + (skipped.empty() ? "" : ", skip:" + skipped);
  TextTable table;
  for (const auto& each : pool.at("peers").as_array()) {
    const auto& peer = each.as_object();
    const bool chosen = peer.at("chosen").as_bool();
    table.add({chosen ? ">" : " ", text(peer, "address"), text(peer, "state"),
               arithmetic(peer, balance, by_slots),
               chosen ? "chosen: " + reason : text(peer, "why_not")});
  }
  return out + table.text(2);
}

}  // namespace

std::string explain_text(const json::value& explanation) {
  const auto& all = explanation.as_object();
  auto out = way(all);
  const auto* pool = all.at("pool").if_object();
  if (pool != nullptr) out += pool_text(*pool);
  const auto peer = text(all, "peer");
  if (!peer.empty()) return out + line("peer", peer);
  const bool maintenance = pool != nullptr && pool->at("maintenance").as_bool();
  if (maintenance) return out;
  auto answer = std::to_string(number(all, "status")) +
                (pool != nullptr ? ", no peer may" : " by weir itself");
  if (all.contains("redirect")) answer += ", to " + text(all, "redirect");
  return out + line("answer", answer);
}

}  // namespace weir::main
