#include "discovery/registry_form.h"

#include <doctest/doctest.h>

namespace {

using namespace weir;
using namespace weir::discovery;
using Form = config::RegistryConfig::Form;
using registry::RespValue;
using Type = RespValue::Type;

RespValue text(const std::string& bytes) {
  return {.type = Type::bulk, .text = bytes, .integer = 0, .items = {}};
}
RespValue error(const std::string& bytes) {
  return {.type = Type::error, .text = bytes, .integer = 0, .items = {}};
}
RespValue number(std::int64_t value) {
  return {.type = Type::integer, .text = {}, .integer = value, .items = {}};
}

config::RegistryConfig foreign(Form form, const std::string& detail = "") {
  config::RegistryConfig config;
  config.form = form;
  config.key = "app:{id}";
  config.detail = detail;
  return config;
}

// What slot 5 is taken for when its answer is `answer` and the others' is `other`.
std::string shown(const config::RegistryConfig& config, const RespValue& answer,
                  const RespValue& other) {
  std::vector<RespValue> answers(registry::kSlots, other);
  answers[5] = answer;
  Reading reading;
  if (const auto wrong = read_answers(config, answers, reading); !wrong.empty()) return "!" + wrong;
  const auto& slot = reading[5];
  switch (slot.kind) {
    case SlotReading::Kind::absent:
      return "absent";
    case SlotReading::Kind::unreadable:
      return "?" + slot.error;
    case SlotReading::Kind::node:
      break;
  }
  return slot.where.host + " " + std::to_string(slot.where.port);
}

TEST_CASE("commands of foreign layouts name the slot's number") {
  const auto has = [](const config::RegistryConfig& config, const std::string& what) {
    return read_commands(config).find(what) != std::string::npos;
  };
  CHECK(has(foreign(Form::text), "\r\nGET\r\n$6\r\napp:31\r\n"));
  CHECK(has(foreign(Form::pointer, "/a"), "\r\nGET\r\n$5\r\napp:0\r\n"));
  CHECK(has(foreign(Form::field, "addr"), "\r\nHGET\r\n$5\r\napp:7\r\n$4\r\naddr\r\n"));
  CHECK(has(foreign(Form::address, "n{id}:1"), "\r\nEXISTS\r\n$5\r\napp:7\r\n"));
}

TEST_CASE("addresses are found in texts, fields, JSON and templates") {
  struct Row {
    config::RegistryConfig config;
    RespValue answer;
    const char* shown;
  };
  const RespValue nil;
  const Row rows[] = {
      {foreign(Form::text), text("10.0.0.1:81"), "10.0.0.1 81"},
      {foreign(Form::text), text("node-a"), "node-a 80"},
      {foreign(Form::text), text("[::1]:81"), "::1 81"},
      {foreign(Form::text), nil, "absent"},
      {foreign(Form::text), text("unix:/run/x"), "?a Unix socket is no address of a node"},
      {foreign(Form::text), text(std::string(400, 'x')), "?the address is too long"},
      {foreign(Form::text), number(3), "?not the text that was asked for"},
      {foreign(Form::text), error("WRONGTYPE x"), "?WRONGTYPE x"},
      {foreign(Form::text), error("LOADING x"), "!LOADING x"},
      {foreign(Form::field, "f"), text("h:1"), "h 1"},
      {foreign(Form::field, "f"), nil, "absent"},
      {foreign(Form::pointer, "/a/0"), text(R"({"a":["h:1"]})"), "h 1"},
      {foreign(Form::pointer, "/a"), text(R"({"b":1})"), "?there is no text at /a"},
      {foreign(Form::pointer, "/a"), text(R"({"a":1})"), "?there is no text at /a"},
      {foreign(Form::pointer, "/a"), nil, "absent"},
      {foreign(Form::address, "node-{id}.x:{id}0"), number(1), "node-5.x 50"},
      {foreign(Form::address, "node-{id}.x"), number(0), "absent"},
      {foreign(Form::address, "node-{id}.x"), text("x"), "?not the number that was asked for"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.config.detail);
    CAPTURE(row.answer.text);
    const auto other = row.config.form == Form::address ? number(0) : nil;
    CHECK(shown(row.config, row.answer, other) == row.shown);
  }
  const auto broken = shown(foreign(Form::pointer, "/a"), text("{"), nil);
  CHECK(broken.starts_with("?not JSON: "));
}

TEST_CASE("in weir's own layout an address has a port") {
  config::RegistryConfig config;
  config.app = "main";
  const auto record = [](const std::string& addr) {
    RespValue value;
    value.type = Type::array;
    value.items = {text(addr), text("ready")};
    value.items.resize(8);
    return value;
  };
  RespValue none;
  none.type = Type::array;
  none.items.resize(8);
  CHECK(shown(config, record("h:81"), none) == "h 81");
  CHECK(shown(config, record("h"), none) == "?the address has no port");
  CHECK(shown(config, record(""), none).starts_with("?"));
  CHECK(shown(config, none, none) == "absent");
}

TEST_CASE("too few answers are no list") {
  Reading reading;
  CHECK(read_answers(foreign(Form::text), {}, reading) != "");
}

}  // namespace
