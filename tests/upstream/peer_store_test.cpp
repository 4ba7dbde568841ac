#include "upstream/peer_store.h"

#include <doctest/doctest.h>

#include "upstream/support.h"

namespace weir::upstream {
using test::at;

namespace {

config::UpstreamConfig upstream_config(bool checked = false) {
  config::UpstreamConfig config;
  config.name = "app";
  if (checked) config.health_checks.emplace_back();
  return config;
}

std::string requests(Pool& pool, int count) {
  std::string result;
  Walk walk;
  for (int i = 0; i < count; ++i) {
    walk.reset(test::client());
    const auto choice = pool.pick(walk, at(0));
    result += choice.peer == nullptr ? 'x' : static_cast<char>('0' + choice.index);
    if (choice.peer != nullptr) pool.done(*choice.peer, Outcome::success, at(0));
  }
  return result;
}

}  // namespace

TEST_CASE("who is the same peer after a reload") {
  struct Row {
    const char* name;
    void (*change)(config::UpstreamConfig&, PeerSpec&);
    bool same;
  };
  const Row rows[] = {
      {"nothing changed", [](auto&, auto&) {}, true},
      {"weight", [](auto&, auto& s) { s.weight = 9; }, true},
      {"marked down", [](auto&, auto& s) { s.down = true; }, true},
      {"name as written", [](auto&, auto& s) { s.name = "app1"; }, true},
      {"balance", [](auto& c, auto&) { c.balance = config::Balance::ip_hash; }, true},
      {"place of the check", [](auto& c, auto&) { c.health_checks[0].position.line = 7; }, true},
      {"address", [](auto&, auto& s) { s.endpoint.ip.set_port(1); }, false},
      {"backup", [](auto&, auto& s) { s.backup = true; }, false},
      {"pool", [](auto& c, auto&) { c.name = "other"; }, false},
      {"check's interval", [](auto& c, auto&) { c.health_checks[0].interval += Duration{1}; },
       true},
      {"check's uri", [](auto& c, auto&) { c.health_checks[0].uri = "/ping"; }, true},
      {"no check", [](auto& c, auto&) { c.health_checks.clear(); }, true},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    PeerStore store;
    auto config = upstream_config(true);
    auto specs = test::specs({1});
    const auto before = store.build(config, specs);
    store.commit(test::at(0));
    row.change(config, specs[0]);
    const auto after = store.build(config, specs);
    store.commit(test::at(0));
    CHECK((before->peers()[0] == after->peers()[0]) == row.same);
    CHECK(after->peers()[0]->spec.weight == specs[0].weight);
    CHECK(after->peers()[0]->spec.down == specs[0].down);
  }
}

TEST_CASE("state survives, in the order of the new configuration") {
  PeerStore store;
  const auto before = store.build(upstream_config(true), test::specs({1, 1, 1}));
  store.commit(test::at(0));
  before->peers()[2]->health = Health::down;
  before->peers()[1]->fails = 4;
  auto specs = test::specs({1, 1, 1});
  std::swap(specs[0], specs[2]);
  const auto after = store.build(upstream_config(true), specs);
  store.commit(test::at(0));
  CHECK(after->peers()[0]->health == Health::down);
  CHECK(after->peers()[1]->fails == 4);
  CHECK(after->peers()[2] == before->peers()[0]);
}

TEST_CASE("a mandatory check keeps a new peer out from the start, not one that has passed") {
  PeerStore store;
  auto config = upstream_config(true);
  config.health_checks[0].mandatory = true;
  const auto before = store.build(config, test::specs({1}));
  store.commit(test::at(0));
  CHECK(requests(*before, 1) == "x");
  before->peers()[0]->health = Health::up;
  const auto after = store.build(config, test::specs({1, 1}));
  store.commit(test::at(0));
  CHECK(requests(*after, 2) == "00");
}

TEST_CASE("without checks nothing of what they had found is left") {
  PeerStore store;
  const auto before = store.build(upstream_config(true), test::specs({1, 1}));
  store.commit(test::at(0));
  auto& peer = *before->peers()[0];
  peer.health = Health::down;
  peer.gone = true;
  peer.fails = 1;
  before->peers()[1]->health = Health::up;
  const auto after = store.build(upstream_config(), test::specs({1, 1}));
  store.commit(test::at(0));
  CHECK(peer.health == Health::unchecked);
  CHECK(!peer.gone);
  CHECK(!peer.leaving);
  CHECK(requests(*after, 2) == "01");
}

TEST_CASE("what is in flight in the old pool counts in the new one") {
  PeerStore store;
  auto specs = test::specs({1});
  specs[0].max_conns = 1;
  const auto before = store.build(upstream_config(), specs);
  store.commit(test::at(0));
  Walk walk;
  walk.reset(test::client());
  const auto held = before->pick(walk, at(0));
  const auto after = store.build(upstream_config(), specs);
  store.commit(test::at(0));
  CHECK(requests(*after, 1) == "x");
  before->done(*held.peer, Outcome::success, at(0));
  CHECK(requests(*after, 1) == "0");
}

TEST_CASE("building aside changes nothing") {
  PeerStore store;
  const auto before = store.build(upstream_config(), test::specs({1, 1}));
  store.commit(test::at(0));
  (void)store.build(upstream_config(), test::specs({5, 1}));
  CHECK(before->peers()[0]->spec.weight == 1);
  CHECK(requests(*before, 4) == "0101");
  store.discard();
  const auto after = store.build(upstream_config(), test::specs({1, 1}));
  store.commit(test::at(0));
  CHECK(after->peers()[0] == before->peers()[0]);
}

TEST_CASE("round robin goes on after a reload that changes nothing, and starts anew else") {
  PeerStore store;
  const auto before = store.build(upstream_config(), test::specs({1, 1, 1}));
  store.commit(test::at(0));
  CHECK(requests(*before, 2) == "01");
  const auto same = store.build(upstream_config(), test::specs({1, 1, 1}));
  store.commit(test::at(0));
  CHECK(requests(*same, 2) == "20");
  const auto other = store.build(upstream_config(), test::specs({5, 1, 1}));
  store.commit(test::at(0));
  CHECK(requests(*other, 7) == "0010200");
}

TEST_CASE("an address written twice is two peers, each with its own state") {
  PeerStore store;
  auto specs = test::specs({1, 1});
  specs[1].endpoint = specs[0].endpoint;
  const auto before = store.build(upstream_config(), specs);
  store.commit(test::at(0));
  CHECK(before->peers()[0] != before->peers()[1]);
  CHECK(requests(*before, 4) == "0101");
  const auto after = store.build(upstream_config(), specs);
  store.commit(test::at(0));
  CHECK(after->peers()[0] == before->peers()[0]);
  CHECK(after->peers()[1] == before->peers()[1]);
}

TEST_CASE("a peer that left and came back is a new one") {
  PeerStore store;
  const auto first = store.build(upstream_config(), test::specs({1, 1}));
  store.commit(test::at(0));
  first->peers()[1]->fails = 3;
  (void)store.build(upstream_config(), test::specs({1}));
  store.commit(test::at(0));
  const auto third = store.build(upstream_config(), test::specs({1, 1}));
  store.commit(test::at(0));
  CHECK(third->peers()[0] == first->peers()[0]);
  CHECK(third->peers()[1]->fails == 0);
}

}  // namespace weir::upstream
