#include "admin/json_delta.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>

namespace weir::admin {
namespace json = boost::json;
namespace {

// A value that has become null is told as null.
void add_change(const json::value& before, const json::value& now, json::string_view key,
                json::object& out) {
  if (before != now) out[key] = delta(before, now);
}

json::value of_objects(const json::object& before, const json::object& now) {
  json::object out;
  for (const auto& [key, value] : now) {
    const auto* earlier = before.if_contains(key);
    if (earlier == nullptr) {
      out[key] = value;
    } else {
      add_change(*earlier, value, key, out);
    }
  }
  for (const auto& [key, value] : before) {
    if (!now.contains(key)) out[key] = nullptr;
  }
  if (out.empty()) return nullptr;
  return out;
}

// Things that stand in an order: pools, peers. Texts and numbers are given anew.
bool is_list_of_objects(const json::array& array) {
  return !array.empty() && array.front().is_object();
}

json::value of_arrays(const json::array& before, const json::array& now) {
  json::object out;
  for (std::size_t i = 0; i < now.size(); ++i) {
    add_change(before[i], now[i], std::to_string(i), out);
  }
  if (out.empty()) return nullptr;
  return out;
}

}  // namespace

json::value delta(const json::value& before, const json::value& now) {
  if (before.is_object() && now.is_object()) {
    return of_objects(before.get_object(), now.get_object());
  }
  if (before.is_array() && now.is_array()) {
    const auto& from = before.get_array();
    const auto& to = now.get_array();
    if (from.size() == to.size() && is_list_of_objects(to)) return of_arrays(from, to);
  }
  if (before == now) return nullptr;
  return now;
}

}  // namespace weir::admin
