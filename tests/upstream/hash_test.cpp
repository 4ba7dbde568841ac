#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "upstream/crc32.h"
#include "upstream/support.h"

namespace weir::upstream {
using config::Balance;
using test::at;

namespace {

// Pools of a line "1:up:127.0.0.1:8001,2:dead:..." and what becomes of requests there.
struct Group {
  Group(Balance balance, const std::string& servers) {
    std::vector<PeerSpec> specs;
    std::istringstream in(servers);
    for (std::string item; std::getline(in, item, ',');) {
      const auto first = item.find(':');
      const auto second = item.find(':', first + 1);
      PeerSpec spec = test::spec(static_cast<std::uint16_t>(8000 + specs.size()),
                                 static_cast<std::uint32_t>(std::stoul(item)));
      states.push_back(item.substr(first + 1, second - first - 1));
      spec.name = item.substr(second + 1);
      spec.max_fails = 0;
      spec.down = states.back() == "down";
      specs.push_back(spec);
      // A server that is there twice has the number of the first.
      const auto same = std::find_if(specs.begin(), specs.end(),
                                     [&](const PeerSpec& each) { return each.name == spec.name; });
      numbers.push_back(std::to_string(same - specs.begin()));
    }
    pool = std::make_unique<Pool>("app", balance, test::make_peers(specs));
  }

  // "answered<TAB>tried,tried": what the test data say of a key.
  std::string request(const std::string& key) {
    std::string path, last = "-";
    walk.reset(test::client());
    walk.begin_key() = key;
    for (std::uint32_t tries = pool->max_tries(); tries > 0; --tries) {
      const auto choice = pool->pick(walk, at(0));
      if (choice.peer == nullptr) break;
      path += (path.empty() ? "" : ",") + numbers[choice.index];
      const bool dead = states[choice.index] == "dead";
      pool->done(*choice.peer, dead ? Outcome::failure : Outcome::success, at(0));
      if (dead) continue;
      last = numbers[choice.index];
      break;
    }
    return last + "\t" + path;
  }

  std::vector<std::string> states;
  std::vector<std::string> numbers;
  std::unique_ptr<Pool> pool;
  Walk walk;
};

Pool::Choice ask(Pool& pool, const std::string& key, double time = 0) {
  Walk walk;
  walk.reset(test::client());
  walk.begin_key() = key;
  return pool.pick(walk, at(time));
}

std::uint32_t index_of(Pool& pool, const std::string& key, double time = 0) {
  const auto choice = ask(pool, key, time);
  REQUIRE(choice.peer != nullptr);
  pool.done(*choice.peer, Outcome::success, at(time));
  return choice.index;
}

std::vector<std::uint32_t> indexes_of(Pool& pool, int keys = 2000) {
  std::vector<std::uint32_t> result;
  for (int i = 0; i < keys; ++i) result.push_back(index_of(pool, "/page/" + std::to_string(i)));
  return result;
}

constexpr Balance kBoth[] = {Balance::hash, Balance::hash_consistent};

}  // namespace

TEST_CASE("hash gives the known answers of nginx") {
  std::ifstream in(WEIR_TEST_DATA "/upstream/hash_vectors.tsv");
  REQUIRE(in);
  std::unique_ptr<Group> group;
  int vectors = 0, wrong = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    const auto tab = line.find('\t');
    const std::string first = line.substr(0, tab);
    const std::string rest = line.substr(tab + 1);
    if (first == "servers") {
      const auto split = rest.find('\t');
      const bool consistent = rest.substr(0, split) == "hash consistent";
      group = std::make_unique<Group>(consistent ? Balance::hash_consistent : Balance::hash,
                                      rest.substr(split + 1));
      continue;
    }
    ++vectors;
    const std::string found = group->request(first);
    if (found != rest && ++wrong < 5) CHECK_MESSAGE(found == rest, "differs from nginx: " << line);
  }
  CHECK(wrong == 0);
  CHECK(vectors == 3168);
}

TEST_CASE("CRC-32") {
  CHECK(crc32(0, "") == 0);
  CHECK(crc32(0, "123456789") == 0xcbf43926);
  CHECK(crc32(crc32(0, "1234"), "56789") == 0xcbf43926);
}

TEST_CASE("hash: the parts of the names on the ring") {
  // Names with the same host and port are the same points: all keys go to the same index.
  struct Row {
    std::string a, b;
    bool same;
  };
  const Row rows[] = {
      {"unix:/run/a", "UNIX:/run/a", true},   {"unix:/run/a", "/run/a", true},
      {"10.0.0.1:80", "10.0.0.1", false},     {"10.0.0.1:80", "10.0.0.1:080", false},
      {"unix:/run/a:80", "/run/a:80", false}, {"app:", "app", true},
      {"[::1]", "[::1]:80", false},           {"8080", "8080", true},
  };
  for (const auto& row : rows) {
    CAPTURE(row.a);
    CAPTURE(row.b);
    HashRing a, b;
    a.add(row.a, 0, 1);
    b.add(row.b, 0, 1);
    a.finish();
    b.finish();
    bool same = a.size() == b.size();
    for (std::uint32_t hash = 0; same && hash < 0xff000000; hash += 0x00fedcba) {
      same = a.find(hash) == b.find(hash);
    }
    CHECK(same == row.same);
  }
}

TEST_CASE("the ring: points for the weight, and around its end") {
  HashRing ring;
  CHECK(ring.empty());
  ring.add("a:1", 7, 3);
  ring.add("b:1", 9, 1);
  ring.add("a:1", 8, 3);  // the same points: the first to have them keeps them
  ring.finish();
  CHECK(ring.size() == 640);
  int sevens = 0;
  for (std::size_t i = 0; i < ring.size(); ++i) sevens += ring.name_at(i) == 7 ? 1 : 0;
  CHECK(sevens == 480);
  CHECK(ring.find(0) == 0);
  CHECK(ring.find(0xffffffff) == ring.size());
  CHECK(ring.name_at(ring.size()) == ring.name_at(0));
}

TEST_CASE("hash: a key stays, and an empty one is balanced by round robin") {
  for (const auto balance : kBoth) {
    CAPTURE(config::to_string(balance));
    Pool pool("app", balance, test::make_peers(test::specs({1, 1, 1})));
    const auto choice = ask(pool, "a");
    CHECK(choice.reason == Reason::hash);
    for (int i = 0; i < 5; ++i) CHECK(index_of(pool, "a") == choice.index);
    std::vector<std::uint32_t> turns;
    for (int i = 0; i < 6; ++i) {
      const auto turn = ask(pool, "");
      CHECK(turn.reason == Reason::round_robin);
      turns.push_back(turn.index);
    }
    CHECK(turns == std::vector<std::uint32_t>{0, 1, 2, 0, 1, 2});
  }
}

TEST_CASE("hash: shares follow the weights") {
  for (const auto balance : kBoth) {
    CAPTURE(config::to_string(balance));
    Pool pool("app", balance, test::make_peers(test::specs({1, 2, 5})));
    std::map<std::uint32_t, int> counts;
    for (const auto index : indexes_of(pool, 8000)) ++counts[index];
    // 160 points a unit of weight: a share of 1/8 is right to about a tenth of itself.
    const int slack = balance == Balance::hash ? 150 : 350;
    CHECK(std::abs(counts[0] - 1000) < slack);
    CHECK(std::abs(counts[1] - 2000) < slack);
    CHECK(std::abs(counts[2] - 5000) < slack);
  }
}

TEST_CASE("hash consistent: a peer more moves its share of the keys, and only to itself") {
  for (std::uint32_t n : {2u, 5u, 10u}) {
    CAPTURE(n);
    Pool before("app", Balance::hash_consistent,
                test::make_peers(test::specs(std::vector<std::uint32_t>(n, 1))));
    Pool after("app", Balance::hash_consistent,
               test::make_peers(test::specs(std::vector<std::uint32_t>(n + 1, 1))));
    const auto old_home = indexes_of(before), new_home = indexes_of(after);
    std::uint32_t moved = 0;
    for (std::size_t i = 0; i < old_home.size(); ++i) {
      if (old_home[i] == new_home[i]) continue;
      ++moved;
      REQUIRE(new_home[i] == n);
    }
    CHECK(moved > 2000 / (n + 1) * 6 / 10);
    CHECK(moved < 2000 / (n + 1) * 14 / 10);
  }
}

TEST_CASE("hash consistent: the order of the lines does not matter, without it does") {
  auto specs = test::specs({1, 1, 1});
  const auto names = [&](Balance balance) {
    Pool pool("app", balance, test::make_peers(specs));
    std::vector<std::string> result;
    for (const auto index : indexes_of(pool, 200)) result.push_back(specs[index].name);
    return result;
  };
  const auto ring = names(Balance::hash_consistent), ranges = names(Balance::hash);
  std::reverse(specs.begin(), specs.end());
  CHECK(names(Balance::hash_consistent) == ring);
  CHECK(names(Balance::hash) != ranges);
}

TEST_CASE("hash: only the keys of a peer that is out move, and they come back") {
  struct Row {
    const char* name;
    void (*set)(Peer&);
    void (*unset)(Peer&);
  };
  const Row rows[] = {
      {"banned", [](Peer& p) { p.fails = 1, p.checked = at(0).time_since_epoch().count() / 1000; },
       [](Peer& p) { p.fails = 0, p.checked = 0; }},
      {"down", [](Peer& p) { p.health = Health::down; }, [](Peer& p) { p.health = Health::up; }},
      {"checking", [](Peer& p) { p.health = Health::checking; },
       [](Peer& p) { p.health = Health::unchecked; }},
  };
  for (const auto balance : kBoth) {
    for (const auto& row : rows) {
      CAPTURE(config::to_string(balance));
      CAPTURE(row.name);
      const auto peers = test::make_peers(test::specs({1, 1, 1, 1}));
      Pool pool("app", balance, peers);
      const auto home = indexes_of(pool, 400);
      row.set(*peers[1]);
      const auto away = indexes_of(pool, 400);
      row.unset(*peers[1]);
      CHECK(indexes_of(pool, 400) == home);
      for (std::size_t i = 0; i < home.size(); ++i) {
        CHECK(away[i] != 1);
        if (home[i] != 1) CHECK(away[i] == home[i]);
      }
    }
  }
}

TEST_CASE("hash: max_conns") {
  for (const auto balance : kBoth) {
    CAPTURE(config::to_string(balance));
    auto specs = test::specs({1, 1});
    specs[0].max_conns = 1;
    specs[1].max_conns = 2;
    Pool pool("app", balance, test::make_peers(specs));
    std::multiset<std::uint32_t> taken;
    for (int i = 0; i < 3; ++i) taken.insert(ask(pool, "a").index);
    CHECK(taken == std::multiset<std::uint32_t>{0, 1, 1});
    CHECK(ask(pool, "a").peer == nullptr);
  }
}

TEST_CASE("hash: a ban, the probe after it, and the end of it") {
  for (const auto balance : kBoth) {
    CAPTURE(config::to_string(balance));
    const auto peers = test::make_peers(test::specs({1, 1, 1}));
    Pool pool("app", balance, peers);  // max_fails=1 fail_timeout=10
    const auto home = ask(pool, "a");
    pool.done(*home.peer, Outcome::failure, at(0));
    const auto other = index_of(pool, "a", 1);
    CHECK(other != home.index);
    CHECK(index_of(pool, "a", 10) == other);
    const auto probe = ask(pool, "a", 11);
    CHECK(probe.index == home.index);
    CHECK(index_of(pool, "a", 11) == other);  // one probe at a time
    pool.done(*probe.peer, Outcome::success, at(11));
    CHECK(index_of(pool, "a", 11) == home.index);
  }
}

TEST_CASE("hash: backups are reached through the fall-back only") {
  for (const auto balance : kBoth) {
    CAPTURE(config::to_string(balance));
    auto specs = test::specs({1, 1, 1});
    specs[1].backup = true;
    Pool pool("app", balance, test::make_peers(specs));
    Walk walk;
    walk.reset(test::client());
    walk.begin_key() = "a";
    std::vector<std::uint32_t> path;
    std::vector<Reason> reasons;
    for (int i = 0; i < 4; ++i) {
      const auto choice = pool.pick(walk, at(0));
      reasons.push_back(choice.reason);
      if (choice.peer == nullptr) break;
      path.push_back(choice.index);
      pool.done(*choice.peer, Outcome::failure, at(0));
    }
    CHECK(path.size() == 3);
    CHECK(path.back() == 1);
    CHECK(reasons == std::vector{Reason::hash, Reason::hash, Reason::backup, Reason::none_live});
  }
}

TEST_CASE("hash: groups of one primary") {
  auto specs = test::specs({1, 1});
  specs[1].backup = true;
  Pool ranges("app", Balance::hash, test::make_peers(specs));
  CHECK(ask(ranges, "a").reason == Reason::round_robin);
  Pool ring("app", Balance::hash_consistent, test::make_peers(specs));
  CHECK(ask(ring, "a").reason == Reason::hash);
  for (const auto balance : kBoth) {
    Pool single("app", balance, test::make_peers(test::specs({1})));
    CHECK(ask(single, "a").reason == Reason::only_peer);
    Pool none("app", balance, {});
    CHECK(ask(none, "a").peer == nullptr);
  }
}

TEST_CASE("hash consistent: the addresses of a name take turns") {
  auto specs = test::specs({1, 1, 1});
  specs[0].name = specs[1].name = "app.example:80";
  Pool pool("app", Balance::hash_consistent, test::make_peers(specs));
  int key = 0;
  while (index_of(pool, std::to_string(key)) == 2) ++key;
  const auto first = index_of(pool, std::to_string(key));
  CHECK(index_of(pool, std::to_string(key)) == 1 - first);
  CHECK(index_of(pool, std::to_string(key)) == first);
}

}  // namespace weir::upstream
