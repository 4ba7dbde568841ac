#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "upstream/support.h"

namespace weir::upstream {
using test::at;

namespace {

struct Server {
  std::uint32_t weight;
  std::string state;
};

std::vector<Server> parse_servers(const std::string& text) {
  std::vector<Server> result;
  std::istringstream in(text);
  for (std::string item; std::getline(in, item, ',');) {
    const auto colon = item.find(':');
    result.push_back({static_cast<std::uint32_t>(std::stoul(item)), item.substr(colon + 1)});
  }
  return result;
}

std::unique_ptr<Pool> make_pool(const std::vector<Server>& servers) {
  std::vector<PeerSpec> specs;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    PeerSpec spec = test::spec(static_cast<std::uint16_t>(8000 + i), servers[i].weight);
    spec.max_fails = 0;
    spec.down = servers[i].state == "down";
    specs.push_back(spec);
  }
  return std::make_unique<Pool>("app", config::Balance::ip_hash, test::make_peers(specs));
}

// One request: tries until a server answers. "1,2": server 1 was dead, 2 answered.
std::string path_of(Pool& pool, const std::vector<Server>& servers, const IpAddress& client) {
  std::string path;
  Walk walk;
  walk.reset(client);
  for (std::uint32_t tries = pool.max_tries(); tries > 0; --tries) {
    const auto choice = pool.pick(walk, at(0));
    if (choice.peer == nullptr) break;
    if (!path.empty()) path += ',';
    path += std::to_string(choice.index);
    const bool dead = servers[choice.index].state == "dead";
    pool.done(*choice.peer, dead ? Outcome::failure : Outcome::success, at(0));
    if (!dead) break;
  }
  return path;
}

}  // namespace

TEST_CASE("ip_hash gives the known answers of nginx") {
  std::ifstream in(WEIR_TEST_DATA "/upstream/ip_hash_vectors.tsv");
  REQUIRE(in);
  std::unique_ptr<Pool> pool;
  std::vector<Server> servers;
  int vectors = 0;
  int wrong = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream fields(line);
    std::string first, second, third;
    std::getline(fields, first, '\t');
    std::getline(fields, second, '\t');
    std::getline(fields, third, '\t');
    if (first == "servers") {
      servers = parse_servers(second);
      pool = make_pool(servers);
      continue;
    }
    const auto client = IpAddress::parse(first);
    REQUIRE(client);
    const std::string path = path_of(*pool, servers, *client);
    const std::string last = path.substr(path.rfind(',') + 1);
    ++vectors;
    if (path != third || last != second) ++wrong;
    CAPTURE(line);
    CAPTURE(path);
    if (wrong < 5) CHECK_MESSAGE((path == third && last == second), "differs from nginx");
  }
  CHECK(wrong == 0);
  CHECK(vectors == 6120);
}

TEST_CASE("the key of ip_hash") {
  Pool pool("app", config::Balance::ip_hash,
            test::make_peers(test::specs(std::vector<std::uint32_t>(128, 1))));
  const auto index = [&pool](const IpAddress& client) {
    Walk walk;
    walk.reset(client);
    const auto choice = pool.pick(walk, at(0));
    pool.done(*choice.peer, Outcome::success, at(0));
    return choice.index;
  };
  // By hand: 89 -> three rounds of hash * 113 mod 6271 with bytes 0 -> 1171 -> mod 128.
  std::uint32_t zeros = 89;
  for (int i = 0; i < 3; ++i) zeros = zeros * 113 % 6271;
  sockaddr unix_address{};
  unix_address.sa_family = AF_UNIX;

  CHECK(index(IpAddress(&unix_address)) == zeros % 128);
  CHECK(index(IpAddress()) == zeros % 128);
  CHECK(index(test::client("0.0.0.0")) == zeros % 128);
  // The last octet of IPv4 does not matter, each byte of IPv6 does.
  CHECK(index(test::client("10.1.2.3")) == index(test::client("10.1.2.250")));
  CHECK(index(test::client("10.1.2.3")) != index(test::client("10.1.3.3")));
  CHECK(index(test::client("2001:db8::1")) != index(test::client("2001:db8::2")));
}

TEST_CASE("ip_hash: more than 20 misses fall back to round robin") {
  // Weight makes the hash name the dead peer nearly always, so its misses run out.
  auto specs = test::specs({60000, 1, 1});
  specs[0].down = true;
  Pool pool("app", config::Balance::ip_hash, test::make_peers(specs));
  Walk walk;
  std::vector<std::uint32_t> indexes;
  for (int i = 0; i < 4; ++i) {
    walk.reset(test::client());
    const auto choice = pool.pick(walk, at(0));
    REQUIRE(choice.peer != nullptr);
    CHECK(choice.reason == Reason::hash_fallback);
    indexes.push_back(choice.index);
    pool.done(*choice.peer, Outcome::success, at(0));
  }
  CHECK(indexes == std::vector<std::uint32_t>{1, 2, 1, 2});
}

TEST_CASE("ip_hash: who may not be chosen costs a miss, and another is found") {
  const auto peers = test::make_peers(test::specs({1, 1, 1}));
  Pool pool("app", config::Balance::ip_hash, peers);
  Walk walk;
  walk.reset(test::client());
  const auto home = pool.pick(walk, at(0));
  pool.done(*home.peer, Outcome::success, at(0));
  std::uint32_t other = 99;

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
  for (const auto& row : rows) {
    CAPTURE(row.name);
    row.set(*home.peer);
    walk.reset(test::client());
    const auto choice = pool.pick(walk, at(1));
    CHECK(choice.reason == Reason::hash);
    CHECK(choice.index != home.index);
    if (other == 99) other = choice.index;
    CHECK(choice.index == other);
    pool.done(*choice.peer, Outcome::success, at(1));

    row.unset(*home.peer);
    walk.reset(test::client());
    const auto back = pool.pick(walk, at(1));
    CHECK(back.index == home.index);
    pool.done(*back.peer, Outcome::success, at(1));
  }
}

TEST_CASE("ip_hash: backups are reached through the fall-back only") {
  auto specs = test::specs({1, 1, 1});
  specs[1].backup = true;
  const auto peers = test::make_peers(specs);
  Pool pool("app", config::Balance::ip_hash, peers);
  Walk walk;
  walk.reset(test::client());
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

TEST_CASE("ip_hash with one primary is round robin") {
  auto specs = test::specs({1, 1});
  specs[1].backup = true;
  Pool pool("app", config::Balance::ip_hash, test::make_peers(specs));
  Walk walk;
  walk.reset(test::client());
  CHECK(pool.pick(walk, at(0)).reason == Reason::round_robin);
  CHECK(pool.pick(walk, at(0)).reason == Reason::backup);
}

}  // namespace weir::upstream
