#include "registry/layout.h"

#include <doctest/doctest.h>

#include <vector>

#include "registry/backoff.h"
#include "registry/scripts.h"

namespace {

using namespace weir::registry;

RespValue fields(const std::vector<const char*>& texts) {
  RespValue value;
  value.type = RespValue::Type::array;
  for (const auto* text : texts) {
    RespValue item;
    if (text != nullptr) {
      item.type = RespValue::Type::bulk;
      item.text = text;
    }
    value.items.push_back(item);
  }
  return value;
}

TEST_CASE("keys have the application in braces, so that they are in one slot of a cluster") {
  CHECK(node_key("main", 7) == "weir:{main}:node:7");
  CHECK(events_channel("main") == "weir:{main}:events");
  CHECK(earlier_key("main") == "weir:{main}:earlier");
}

TEST_CASE("names of applications") {
  for (const char* good : {"main", "a", "App_1.x-y"}) CHECK(is_app_name(good));
  for (const char* bad : {"", "a b", "{a}", "a:b", "ä"}) CHECK_FALSE(is_app_name(bad));
  CHECK(is_app_name(std::string(64, 'a')));
  CHECK_FALSE(is_app_name(std::string(65, 'a')));
}

TEST_CASE("which modes serve requests") {
  for (const char* mode : {"", " ", "!", "!,a", "a,!", "a, ! ,b"}) {
    CAPTURE(mode);
    CHECK(serves_requests(mode));
  }
  for (const char* mode : {"*", "-", "a", "a,b", "*,a", "a!", "!a"}) {
    CAPTURE(mode);
    CHECK_FALSE(serves_requests(mode));
  }
}

TEST_CASE("a record is read with all that it says") {
  std::string error;
  const auto node =
      read_record(fields({"10.0.0.1:80", "ready", "!", "3", "me", "2.1", "17", nullptr}), error);
  REQUIRE_MESSAGE(node.has_value(), error);
  CHECK(node->addr == "10.0.0.1:80");
  CHECK(node->state == NodeState::ready);
  CHECK(node->mode == "!");
  CHECK(node->weight == 3);
  CHECK(node->instance == "me");
  CHECK(node->version == "2.1");
  CHECK(node->since == 17);
  CHECK_FALSE(node->drained);
}

TEST_CASE("an operator's word counts more than the node's") {
  std::string error;
  const auto node = read_record(
      fields({"10.0.0.1:80", "ready", nullptr, nullptr, "me", nullptr, nullptr, "1"}), error);
  REQUIRE(node);
  CHECK(node->state == NodeState::draining);
  CHECK(node->drained);
}

TEST_CASE("a key that is not there is no node, and no error") {
  std::string error = "before";
  const std::vector<const char*> none(8, nullptr);
  CHECK_FALSE(read_record(fields(none), error));
  CHECK(error.empty());
}

TEST_CASE("records that make no sense are told of") {
  const std::string long_text(2000, 'x');
  const std::vector<std::vector<const char*>> rows = {
      {"h:1", "what", nullptr, nullptr, nullptr, nullptr, nullptr, nullptr},
      {"h:1", nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr},
      {"h:1", "ready", nullptr, "0", nullptr, nullptr, nullptr, nullptr},
      {"h:1", "ready", nullptr, "65536", nullptr, nullptr, nullptr, nullptr},
      {"h:1", "ready", nullptr, "x", nullptr, nullptr, nullptr, nullptr},
      {"h:1", "ready", nullptr, nullptr, nullptr, nullptr, "-1", nullptr},
      {long_text.c_str(), "ready", nullptr, nullptr, nullptr, nullptr, nullptr, nullptr},
      {"h:1", "ready"},
  };
  for (const auto& row : rows) {
    std::string error;
    CHECK_FALSE(read_record(fields(row), error));
    CHECK_FALSE(error.empty());
  }
  std::string error;
  RespValue wrong;
  wrong.type = RespValue::Type::error;
  wrong.text = "WRONGTYPE Operation";
  CHECK_FALSE(read_record(wrong, error));
  CHECK(error == "WRONGTYPE Operation");
}

TEST_CASE("the pause between attempts doubles, up to a limit, with jitter") {
  Backoff backoff;
  const Random least = [](std::uint64_t) { return 0; };
  const Random most = [](std::uint64_t below) { return below - 1; };
  const std::vector<std::pair<int, int>> rows = {{50, 100},    {100, 200},  {200, 400},
                                                 {400, 800},   {800, 1600}, {1600, 3200},
                                                 {2500, 5000}, {2500, 5000}};
  Backoff upper;
  for (const auto& [low, high] : rows) {
    CHECK(backoff.next(least).count() == low);
    CHECK(upper.next(most).count() == high);
  }
  backoff.reset();
  CHECK(backoff.next(least).count() == 50);
}

}  // namespace
