#include "main/status_text.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace weir::main {
namespace {

namespace json = boost::json;

std::string text_of(const json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : std::string();
}

std::string number_of(const json::value& value) {
  if (value.is_int64()) return std::to_string(value.get_int64());
  if (value.is_uint64()) return std::to_string(value.get_uint64());
  return "0";
}

// What comes from configurations goes to a terminal: no control characters.
std::string shown(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return text;
}

std::string since(const json::value& value) {
  return value.is_number() ? short_time(value.to_number<double>()) : "-";
}

std::string weight(const json::object& peer) {
  const auto* set = peer.at("set").if_object();
  return number_of(peer.at("weight")) + (set != nullptr && set->contains("weight") ? "*" : "");
}

// What operators have set shows as such.
std::string state(const json::object& peer) {
  const auto text = text_of(peer.at("state"));
  const bool set =
      text == "draining" || text == "down by operator" || text == "waiting" || text == "aside";
  return text + (set ? "*" : "");
}

}  // namespace

std::string short_time(double seconds) {
  const auto total = static_cast<long long>(seconds);
  const auto pair = [](long long big, const char* unit, long long small, const char* rest) {
    return std::to_string(big) + unit + (small > 0 ? std::to_string(small) + rest : "");
  };
  if (total < 60) return std::to_string(total) + "s";
  if (total < 3600) return pair(total / 60, "m", total % 60, "s");
  if (total < 86400) return pair(total / 3600, "h", total % 3600 / 60, "m");
  return pair(total / 86400, "d", total % 86400 / 3600, "h");
}

std::string TextTable::text(std::size_t indent) const {
  std::vector<std::size_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const auto& row : rows_) {
    std::string line(indent, ' ');
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += shown(row[i]);
      line.append(widths[i] - row[i].size() + 2, ' ');
    }
    line.resize(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

namespace {

// A member that weirs before this one do not write.
std::string text_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr ? text_of(*value) : std::string();
}

// What keeps the list of peers from being what it is to be.
std::string sources_line(const json::object& pool) {
  std::string out;
  const auto* source = pool.if_contains("registry");
  if (const auto* registry = source != nullptr ? source->if_object() : nullptr) {
    if (registry->at("waiting_for_first_list").as_bool()) {
      out += "; waits for the first list of its registry";
    } else if (!registry->at("fresh").as_bool()) {
      out += "; the list of its registry is stale for " + since(registry->at("stale_for"));
    } else if (registry->at("emptying_unconfirmed").as_bool()) {
      out += "; its registry says that most nodes are gone: not believed yet";
    }
    if (const auto error = text_of(*registry, "error"); !error.empty()) out += ": " + error;
    if (const auto events = text_of(*registry, "events_error"); !events.empty()) {
      out += "; its registry does not tell of changes: " + events;
    }
  }
  if (const auto* names = pool.if_contains("unresolved")) {
    for (const auto& each : names->as_array()) {
      const auto& name = each.as_object();
      out += "; unresolved: " + text_of(name, "name") + " (" + text_of(name, "error") + ")";
    }
  }
  return out;
}

}  // namespace

std::string pool_line(const json::object& pool) {
  std::string out = text_of(pool.at("name")) + " (" + text_of(pool.at("balance")) +
                    "): " + number_of(pool.at("live")) + " of " +
                    std::to_string(pool.at("peers").as_array().size()) + " get requests" +
                    sources_line(pool);
  const auto* set = pool.at("set").if_object();
  if (set == nullptr) return shown(out);
  if (const auto* only = set->if_contains("only")) out += "; only* " + text_of(*only);
  if (const auto* first = set->if_contains("first")) out += "; first* " + text_of(*first);
  if (const auto* maintenance = set->if_contains("maintenance")) {
    out += "; in maintenance*: clients get 503";
    const auto& allow = maintenance->as_object().at("allow").as_array();
    for (std::size_t i = 0; i < allow.size(); ++i) {
      out += (i == 0 ? ", but for " : " ") + text_of(allow[i]);
    }
  }
  if (const auto* absent = set->if_contains("absent")) {
    out += "; set* for peers that are not there:";
    for (const auto& name : absent->as_array()) out += " " + text_of(name);
  }
  return shown(out);
}

std::string status_text(const json::value& status) {
  std::string out;
  for (const auto& entry : status.as_object().at("upstreams").as_array()) {
    const auto& pool = entry.as_object();
    out += pool_line(pool) + "\n";
    TextTable table;
    table.add({"PEER", "STATE", "FOR", "CONNS", "FAILS", "WEIGHT", "REASON"});
    for (const auto& each : pool.at("peers").as_array()) {
      const auto& peer = each.as_object();
      auto name = text_of(peer.at("name"));
      const auto address = text_of(peer.at("address"));
      if (name != address) name += " (" + address + ")";
      if (peer.at("backup").as_bool()) name += " backup";
      table.add({name, state(peer), since(peer.at("since")), number_of(peer.at("in_flight")),
                 number_of(peer.at("fails")), weight(peer), text_of(peer.at("reason"))});
    }
    out += table.text(2);
  }
  if (out.empty()) return "no upstreams\n";
  if (out.find('*') != std::string::npos) out += "* set at run time\n";
  return out;
}

std::string status_names(const json::value& status) {
  std::string out;
  for (const auto& pool : status.as_object().at("upstreams").as_array()) {
    const auto name = text_of(pool.at("name"));
    out += shown(name) + "\n";
    for (const auto& peer : pool.at("peers").as_array()) {
      out += shown(name + "/" + text_of(peer.at("name"))) + "\n";
    }
  }
  return out;
}

}  // namespace weir::main
