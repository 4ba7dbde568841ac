// What verbs do to the state, what they say, and the text that the state is kept as.
#include "admin/verbs.h"

#include <doctest/doctest.h>

#include "admin/fixture.h"
#include "admin/state_text.h"

namespace weir::admin {
namespace {

struct Operators : test::Fixture {
  upstream::OperatorState state;

  explicit Operators(bool checked = false) {
    for (const char* name : {"app", "other"}) {
      config::UpstreamConfig upstream;
      upstream.name = name;
      if (checked) upstream.health_checks.emplace_back();
      model->upstreams.push_back(std::move(upstream));
    }
    add_pool("app", {test::make_peer("10.0.0.1:80"), test::make_peer("10.0.0.2:80")});
    add_pool("other", {test::make_peer("10.0.0.3:80")});
    source.operators = &state;
  }
  Outcome run(Verb verb, const std::string& target, const std::string& value = {},
              std::multimap<std::string, std::string> options = {}) {
    const Command command{verb, target, value, std::move(options)};
    const auto outcome = execute(source, command, 1700000000);
    for (const auto& node : runtime->pools) state.set_holds(*node.pool, clock.now());
    return outcome;
  }
  upstream::Peer& peer(std::size_t i) { return *runtime->pools[0].pool->peers()[i]; }
  [[nodiscard]] std::string kept() const { return state.empty() ? "" : state_text(state); }
};

}  // namespace

TEST_CASE("commands one after the other, and what is kept after each") {
  struct Row {
    Verb verb;
    const char* target;
    const char* value;
    const char* text;
    Effect effect;
    const char* kept;
  };
  const Row rows[] = {
      {Verb::drain, "app/10.0.0.1:80", "", "drain app/10.0.0.1:80", Effect::holds,
       R"({"10.0.0.1:80":{"state":"draining","since":1700000000}})"},
      {Verb::down, "app/10.0.0.1:80", "", "down app/10.0.0.1:80", Effect::holds,
       R"({"10.0.0.1:80":{"state":"down","since":1700000000}})"},
      {Verb::weight, "app/10.0.0.1:80", "7", "weight app/10.0.0.1:80 7", Effect::pools,
       R"({"10.0.0.1:80":{"state":"down","weight":7,"since":1700000000}})"},
      {Verb::ready, "app/10.0.0.1:80", "", "ready app/10.0.0.1:80", Effect::holds,
       R"({"10.0.0.1:80":{"weight":7,"since":1700000000}})"},
      {Verb::weight, "app/10.0.0.1:80", "configured", "weight app/10.0.0.1:80 as configured",
       Effect::pools, ""},
      {Verb::ready, "app/10.0.0.2:80", "", "ready app/10.0.0.2:80", Effect::holds, ""},
  };
  Operators operators;
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const auto outcome = operators.run(row.verb, row.target, row.value);
    CHECK(outcome.status == 200);
    CHECK(outcome.text == row.text);
    CHECK(outcome.effect == row.effect);
    const auto kept = operators.kept();
    if (std::string(row.kept).empty()) {
      CHECK(kept == "");
    } else {
      CHECK(kept.find(row.kept) != std::string::npos);
    }
    upstream::OperatorState again;
    CHECK(parse_state(kept, again) == "");
    CHECK((again.empty() ? "" : state_text(again)) == kept);
  }
}

TEST_CASE("only, first and ready of a pool") {
  Operators operators(true);
  CHECK(operators.run(Verb::only, "app/10.0.0.1:80").ok());
  CHECK(operators.peer(0).hold == upstream::Hold::none);
  CHECK(operators.peer(1).hold == upstream::Hold::aside);
  CHECK(operators.run(Verb::ready, "app/10.0.0.2:80").text ==
        "ready app/10.0.0.2:80; it gets no requests: only 10.0.0.1:80 is to serve");
  CHECK(operators.run(Verb::drain, "app/10.0.0.1:80").text ==
        "drain app/10.0.0.1:80; it was the only one to serve: now nobody does");
  // A peer that is to serve alone is not held itself.
  CHECK(operators.run(Verb::first, "app/10.0.0.1:80").ok());
  CHECK(operators.peer(0).hold == upstream::Hold::none);
  CHECK(operators.peer(1).hold == upstream::Hold::waiting);
  operators.peer(0).health = upstream::Health::up;
  CHECK(operators.run(Verb::first, "app/10.0.0.1:80").text ==
        "first app/10.0.0.1:80: it is ready, the others need not wait");
  CHECK(operators.kept() == "");
  CHECK(operators.run(Verb::only, "app/10.0.0.2:80").ok());
  CHECK(operators.run(Verb::ready, "app").ok());
  CHECK(operators.kept() == "");
  CHECK(operators.peer(0).hold == upstream::Hold::none);
}

TEST_CASE("what makes no sense changes nothing") {
  struct Row {
    Verb verb;
    const char* target;
    const char* value;
    unsigned status;
    const char* text;
  };
  const Row rows[] = {
      {Verb::drain, "", "", 400, "the pool is missing"},
      {Verb::drain, "app", "", 400, "the peer is missing; write app/PEER"},
      {Verb::drain, "app/", "", 400, "the peer is missing; write app/PEER"},
      {Verb::drain, "apq/x", "", 404, "unknown pool \"apq\"; did you mean \"app\"?"},
      {Verb::drain, "app/10.0.0.1:8", "", 404,
       "unknown peer \"10.0.0.1:8\" of \"app\"; did you mean \"10.0.0.1:80\"?"},
      {Verb::ready, "app/x", "", 404,
       "unknown peer \"x\" of \"app\"; there is 10.0.0.1:80, 10.0.0.2:80"},
      {Verb::weight, "app/10.0.0.1:80", "65536", 400,
       "invalid weight \"65536\"; it is from 1 to 65535, or `configured`"},
      {Verb::weight, "app/10.0.0.1:80", "-1", 400,
       "invalid weight \"-1\"; it is from 1 to 65535, or `configured`"},
      {Verb::first, "app/10.0.0.1:80", "", 409,
       "\"app\" has no health_check, so nobody can tell when a peer is ready; use only, then "
       "`ready app`"},
      {Verb::maintenance, "app", "perhaps", 400, "maintenance is `on POOL` or `off POOL`"},
      {Verb::maintenance, "app/10.0.0.1:80", "on", 400,
       "maintenance is of a whole pool; write app"},
  };
  Operators operators;
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const auto outcome = operators.run(row.verb, row.target, row.value);
    CHECK(outcome.status == row.status);
    CHECK(outcome.text == row.text);
    CHECK(outcome.effect == Effect::none);
    CHECK(operators.state.empty());
  }
}

TEST_CASE("the options of maintenance") {
  Operators operators;
  CHECK(operators
            .run(Verb::maintenance, "app", "on",
                 {{"allow", "10.0.0.0/8,::1"},
                  {"allow", "192.168.1.1"},
                  {"retry-after", "5"},
                  {"api", "/v1/"},
                  {"message", "later"}})
            .ok());
  const auto setting = operators.state.maintenance("app");
  REQUIRE(setting != nullptr);
  REQUIRE(setting->allow.size() == 3);
  CHECK(setting->allow[2].contains(*IpAddress::parse("192.168.1.1")));
  CHECK(setting->retry_after == std::chrono::seconds(5));
  CHECK(setting->api == std::vector<std::string>{"/v1/"});
  CHECK(setting->message == "later");
  CHECK(operators.state.maintenance("other") == nullptr);
  upstream::OperatorState again;
  CHECK(parse_state(operators.kept(), again) == "");
  CHECK(state_text(again) == operators.kept());
  CHECK(operators.run(Verb::maintenance, "app", "on", {{"allow", "10.0.0"}}).status == 400);
  CHECK(operators.run(Verb::maintenance, "app", "on", {{"api", "v1"}}).status == 400);
  CHECK(operators.run(Verb::maintenance, "app", "on", {{"retry-after", "1h"}}).status == 400);
  CHECK(operators.run(Verb::maintenance, "app", "off").ok());
  CHECK(operators.state.empty());
}

TEST_CASE("what is set for what is gone may be taken back, and nothing else") {
  Operators operators;
  operators.state.at("gone").only = "10.0.0.9:80";
  operators.state.at("app").peers["10.0.0.9:80"].hold = upstream::Hold::down;
  CHECK(operators.run(Verb::drain, "gone/10.0.0.9:80").status == 404);
  CHECK(operators.run(Verb::drain, "app/10.0.0.9:80").status == 404);
  CHECK(operators.run(Verb::ready, "app/10.0.0.9:80").ok());
  CHECK(operators.run(Verb::ready, "gone").ok());
  CHECK(operators.state.empty());
}

TEST_CASE("texts that are no state") {
  struct Row {
    const char* text;
    const char* problem;
  };
  const Row rows[] = {
      {"[]", "it holds no JSON object"},
      {"{}", "it is of another version of weir"},
      {R"({"version":1,"pools":[]})", "invalid pools"},
      {R"({"version":1,"pools":{"app":1}})", "invalid entry"},
      {R"({"version":1,"pools":{"app":{"only":1}}})", "invalid only"},
      {R"({"version":1,"pools":{"app":{"peers":{"a":{"state":"up"}}}}})", "invalid state"},
      {R"({"version":1,"pools":{"app":{"peers":{"a":{"weight":"1"}}}}})", "invalid weight"},
      {R"({"version":1,"pools":{"app":{"peers":{"a":{"weight":65536}}}}})", "invalid weight"},
      {R"({"version":1,"pools":{"app":{"maintenance":{"api":[],"allow":["x"]}}}})",
       "invalid allow"},
      {R"({"version":1,"pools":{"app":{"maintenance":{"allow":[]}}}})", "invalid api"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    upstream::OperatorState state;
    state.at("before").only = "x";
    CHECK(parse_state(row.text, state) == row.problem);
    CHECK(state.empty());
  }
  upstream::OperatorState state;
  CHECK(parse_state("{\"version\":", state) != "");
  CHECK(parse_state("", state) == "");
}

TEST_CASE("options of verbs") {
  const auto* verb = find_verb("maintenance");
  REQUIRE(verb != nullptr);
  using Option = VerbInfo::Option;
  CHECK(verb->option("allow") == Option::values);
  CHECK(verb->option("message") == Option::value);
  CHECK(verb->option("wait") == Option::unknown);
  CHECK(find_verb("drain")->option("wait") == Option::flag);
  CHECK(find_verb("drain")->option_list() == "[--wait] [--timeout VALUE]");
  CHECK(find_verb("drains") == nullptr);
}

}  // namespace weir::admin
