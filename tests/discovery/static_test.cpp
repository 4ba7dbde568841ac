#include "discovery/static.h"

#include <doctest/doctest.h>

#include <map>

namespace weir::discovery {
namespace {

config::PeerConfig peer(const char* name, const char* host, std::uint16_t port) {
  config::PeerConfig result;
  result.name = name;
  result.where.host = host;
  result.where.port = port;
  result.position.file = std::make_shared<const std::string>("weir.conf");
  result.position.line = 3;
  result.position.column = 5;
  return result;
}

// A resolver that knows these names.
Resolver knows(std::map<std::string, std::vector<const char*>> names) {
  return [names = std::move(names)](const Question& question) {
    Addresses result;
    const auto found = names.find(question.host);
    if (found == names.end()) return Addresses{.error = "no such name"};
    for (const char* text : found->second) result.found.push_back(*IpAddress::parse(text));
    return result;
  };
}

std::string endpoints(const StaticPeers& peers) {
  std::string result;
  for (const auto& spec : peers.specs) result += spec.endpoint.text() + ' ';
  return result;
}

}  // namespace

TEST_CASE("addresses of servers") {
  config::PeerConfig socket;
  socket.name = "unix:/run/app.sock";
  socket.where.unix_path = "/run/app.sock";
  struct Row {
    const char* name;
    config::PeerConfig peer;
    const char* want;
  };
  const Row rows[] = {
      {"IPv4", peer("10.0.0.1:80", "10.0.0.1", 80), "10.0.0.1:80 "},
      {"IPv6", peer("[::1]:81", "::1", 81), "[::1]:81 "},
      {"Unix socket", socket, "unix:/run/app.sock "},
      {"a name", peer("one:82", "one", 82), "10.0.0.9:82 "},
      {"a name with many: sorted, IPv4 first, each once", peer("many", "many", 80),
       "9.0.0.1:80 10.0.0.2:80 [2001:db8::1]:80 [2001:db8::2]:80 "},
  };
  const auto resolver =
      knows({{"one", {"10.0.0.9"}},
             {"many", {"2001:db8::2", "10.0.0.2", "9.0.0.1", "2001:db8::1", "10.0.0.2"}}});
  for (const auto& row : rows) {
    CAPTURE(row.name);
    config::UpstreamConfig upstream;
    upstream.peers = {row.peer};
    const auto result = static_peers(upstream, resolver);
    CHECK(result.unresolved.empty());
    CHECK(endpoints(result) == row.want);
  }
}

TEST_CASE("each peer has all that its line says, in the order of the lines") {
  config::UpstreamConfig upstream;
  upstream.peers = {peer("two", "two", 80), peer("10.0.0.1", "10.0.0.1", 80)};
  auto& line = upstream.peers[0];
  line.weight = 5;
  line.max_fails = 2;
  line.fail_timeout = std::chrono::seconds{30};
  line.max_conns = 7;
  line.backup = true;
  line.down = true;
  const auto result = static_peers(upstream, knows({{"two", {"10.0.0.4", "10.0.0.3"}}}));
  CHECK(endpoints(result) == "10.0.0.3:80 10.0.0.4:80 10.0.0.1:80 ");
  for (std::size_t i = 0; i < 2; ++i) {
    CAPTURE(i);
    const auto& spec = result.specs[i];
    CHECK(spec.name == "two");
    CHECK(spec.weight == 5);
    CHECK(spec.max_fails == 2);
    CHECK(spec.fail_timeout == std::chrono::seconds{30});
    CHECK(spec.max_conns == 7);
    CHECK(spec.backup);
    CHECK(spec.down);
  }
  CHECK_FALSE(result.specs[2].backup);
}

TEST_CASE("SRV records give ports, weights, and who is a backup") {
  const auto at = [](const char* host, std::uint16_t port) {
    return *IpAddress::parse(host, port);
  };
  config::UpstreamConfig upstream;
  upstream.peers = {peer("app", "app", 80)};
  upstream.peers[0].service = "http";
  upstream.peers[0].resolve = true;
  upstream.resolver.emplace().servers = {at("10.0.0.53", 53)};
  upstream.resolver_timeout = Duration{700};
  Question asked;
  Addresses answer{.found = {at("10.0.0.2", 81), at("10.0.0.1", 82), at("10.0.0.1", 80)}};
  answer.ranks = {{at("10.0.0.2", 81), {.weight = 3, .reserve = false}},
                  {at("10.0.0.1", 82), {.weight = 1, .reserve = true}},
                  {at("10.0.0.1", 80), {.weight = 5, .reserve = false}}};
  Places places;
  const auto peers = [&] {
    return static_peers(
               upstream,
               [&](const Question& question) {
                 asked = question;
                 return answer;
               },
               &places)
        .specs;
  };
  const auto found = peers();
  CHECK(asked.text() == "http app by 10.0.0.53:53");
  CHECK(asked.timeout == Duration{700});
  REQUIRE(found.size() == 3);
  const auto is = [&](std::size_t i, const char* text, std::uint32_t weight, bool backup) {
    CAPTURE(i);
    CHECK(found[i].endpoint.text() == text);
    CHECK(found[i].weight == weight);
    CHECK(found[i].backup == backup);
  };
  is(0, "10.0.0.1:80", 5, false);
  is(1, "10.0.0.1:82", 1, true);
  is(2, "10.0.0.2:81", 3, false);
  // A weight of the line goes before those of the records, as in nginx.
  upstream.peers[0].weight = 9;
  for (const auto& spec : peers()) CHECK(spec.weight == 9);
  // One that vanishes keeps its place, and its port.
  answer.found.pop_back();
  const auto later = peers();
  REQUIRE(later.size() == 3);
  CHECK(later[0].endpoint.text() == "10.0.0.1:80");
  CHECK(later[0].vanished);
}

TEST_CASE("a name that is not found gives no peer, and a line with its place") {
  config::UpstreamConfig upstream;
  upstream.peers = {peer("10.0.0.1", "10.0.0.1", 80), peer("nowhere:80", "nowhere", 80)};
  const auto result = static_peers(upstream, knows({{"empty", {}}}));
  REQUIRE(result.unresolved.size() == 1);
  CHECK(result.specs.size() == 1);
  CHECK(result.unresolved[0].find("weir.conf:3:5") == 0);
  CHECK(result.unresolved[0].find(
            ": server: host not found in upstream \"nowhere:80\": no such name;") !=
        std::string::npos);

  upstream.peers = {peer("empty", "empty", 80)};
  upstream.implicit = true;
  const auto empty = static_peers(upstream, knows({{"empty", {}}}));
  REQUIRE(empty.unresolved.size() == 1);
  CHECK(empty.unresolved[0].find(
            ": proxy_pass: host not found in upstream \"empty\": it has no address") !=
        std::string::npos);
}

TEST_CASE("addresses keep their places when their line moves in the file") {
  config::UpstreamConfig upstream;
  upstream.name = "app";
  upstream.peers = {peer("many:80", "many", 80)};
  Places places;
  const auto before = knows({{"many", {"10.0.0.2"}}});
  const auto now = knows({{"many", {"10.0.0.1", "10.0.0.2"}}});
  CHECK(endpoints(static_peers(upstream, before, &places)) == "10.0.0.2:80 ");
  upstream.peers[0].position.line = 4;
  upstream.peers.push_back(peer("10.0.0.9:80", "10.0.0.9", 80));
  CHECK(endpoints(static_peers(upstream, now, &places)) == "10.0.0.2:80 10.0.0.1:80 10.0.0.9:80 ");
}

}  // namespace weir::discovery
