#include "probe/check.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <optional>

#include "probe/scripted_server.h"

namespace weir::probe {
using test::answer;
using test::Script;
using upstream::CheckLayer;
using upstream::CheckResult;

namespace {

upstream::PeerSpec peer_at(std::uint16_t port) {
  upstream::PeerSpec spec;
  spec.name = "127.0.0.1:" + std::to_string(port);
  spec.endpoint.ip = *IpAddress::parse("127.0.0.1", port);
  return spec;
}

CheckResult run_check(test::asio::io_context& io, const config::HealthCheckConfig& config,
                      const upstream::PeerSpec& peer) {
  std::optional<CheckResult> result;
  const auto check = std::make_shared<Check>(
      io, config, peer, nullptr, [&result](CheckResult got) { result = std::move(got); });
  check->start();
  CHECK_FALSE(result.has_value());  // never from within start()
  REQUIRE(test::run_until(io, [&result] { return result.has_value(); }));
  return *result;
}

config::HealthCheckConfig short_check(int timeout_ms) {
  config::HealthCheckConfig config;
  config.timeout = Duration{timeout_ms};
  config.match.status = {{.from = 200, .to = 399}};
  return config;
}

}  // namespace

TEST_CASE("results by what the peer does") {
  struct Row {
    const char* name;
    Script script;
    CheckLayer layer;
    const char* detail;
    int timeout_ms = 5000;
  };
  const std::string early_hints = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n";
  const Row rows[] = {
      {"200", {.answer = answer("200 OK")}, CheckLayer::ok, "got 200"},
      {"200, then it closes",
       {.answer = answer("200 OK"), .close = true},
       CheckLayer::ok,
       "got 200"},
      {"200 byte by byte",
       {.answer = answer("200 OK"), .byte_by_byte = true},
       CheckLayer::ok,
       "got 200"},
      {"a body without end is not read",
       {.answer = "HTTP/1.0 200 OK\r\n\r\nbody", .repeat_forever = true},
       CheckLayer::ok,
       "got 200"},
      {"interim answers first",
       {.answer = early_hints + early_hints + answer("201 Created")},
       CheckLayer::ok,
       "got 201"},
      {"503",
       {.answer = answer("503 Service Unavailable")},
       CheckLayer::status,
       "got 503, want 200-399"},
      {"garbage",
       {.answer = "SSH-2.0-OpenSSH_9.2\r\n"},
       CheckLayer::response,
       "invalid answer: invalid status line"},
      {"closes without an answer",
       {.close = true},
       CheckLayer::response,
       "connection closed without an answer"},
      {"closes inside the head",
       {.answer = "HTTP/1.1 200 OK\r\nA: b\r\n", .close = true},
       CheckLayer::response,
       "connection closed inside the head of the answer"},
      {"resets", {.reset = true}, CheckLayer::response, "connection reset by peer"},
      {"hangs", {}, CheckLayer::timeout, "the answer took longer than 30 ms", 30},
      {"a byte now and then",
       {.answer = "HTTP/1.1 200 OK\r\nA: " + std::string(10000, 'a'), .byte_by_byte = true},
       CheckLayer::timeout,
       "the answer took longer than 50 ms",
       50},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    test::asio::io_context io;
    test::TcpServer server(io, test::any_port());
    server.script = row.script;
    const auto result = run_check(io, short_check(row.timeout_ms), peer_at(server.where().port()));
    CHECK(to_string(result.layer) == std::string(to_string(row.layer)));
    CHECK(result.detail == row.detail);
    if (row.layer == CheckLayer::timeout) CHECK(result.took >= Duration{row.timeout_ms - 1});
    CHECK(test::run_until(io, [&server] { return server.open == 0; }));  // nothing is left open
  }
}

TEST_CASE("heads without end are cut off") {
  struct Row {
    const char* name;
    std::string start;
    std::string piece;
  };
  const Row rows[] = {
      {"one long line", "HTTP/1.1 200 OK\r\nA: ", "aaaaaaaaaaaaaaaa"},
      {"many lines", "HTTP/1.1 200 OK\r\n", "A: aaaaaaaaaa\r\n"},
      {"interim answers", "", "HTTP/1.1 103 Early Hints\r\n\r\n"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    test::asio::io_context io;
    test::TcpServer server(io, test::any_port());
    server.script.answer = row.start;
    while (server.script.answer.size() < 300'000) server.script.answer += row.piece;
    const auto result = run_check(io, short_check(5000), peer_at(server.where().port()));
    CHECK(to_string(result.layer) == std::string("response"));
    CAPTURE(result.detail);
    CHECK_FALSE(result.detail.empty());
  }
}

TEST_CASE("nobody listens") {
  test::asio::io_context io;
  // Bound, so that nobody else gets the port, but not listening.
  test::asio::ip::tcp::socket bound(io, test::any_port());
  const auto result = run_check(io, short_check(5000), peer_at(bound.local_endpoint().port()));
  CHECK(result.layer == CheckLayer::connect);
  CHECK(result.detail == "connection refused");
}

TEST_CASE("what the configuration says of a check") {
  test::asio::io_context io;
  test::TcpServer server(io, test::any_port());
  server.script.answer = "HTTP/1.1 204 No Content\r\n\r\n";
  config::HealthCheckConfig config = short_check(5000);
  const auto port = server.where().port();
  SUBCASE("uri and host") {
    config.uri = "/ping?a=b";
    config.host = "example.org";
    CHECK(run_check(io, config, peer_at(port)).passed());
    CHECK(server.last_request.find("GET /ping?a=b HTTP/1.1\r\nHost: example.org\r\n") == 0);
  }
  SUBCASE("status") {
    config.match.status = {{.from = 200, .to = 200}};
    const auto result = run_check(io, config, peer_at(port));
    CHECK(result.layer == CheckLayer::status);
    CHECK(result.detail == "got 204, want 200");
    CHECK(result.status == 204);
  }
  SUBCASE("another port") {
    config.port = port;
    CHECK(run_check(io, config, peer_at(1)).passed());
  }
  SUBCASE("a connection is enough") {
    config.type = config::CheckType::tcp;
    const auto result = run_check(io, config, peer_at(port));
    CHECK(result.passed());
    CHECK(result.detail == "connected");
    CHECK(server.last_request.empty());
  }
}

TEST_CASE("send and expect over a connection") {
  test::asio::io_context io;
  test::TcpServer server(io, test::any_port());
  server.script.answer = "+PONG\r\n";
  config::HealthCheckConfig config = short_check(5000);
  config.type = config::CheckType::tcp;
  config.match.status.clear();
  config.match.send = "PING\r\n\r\n";
  config.match.expect.emplace().kind = config::MatchConfig::Test::Kind::contains;
  config.match.expect->text = "+PONG";
  SUBCASE("as wanted") {
    const auto result = run_check(io, config, peer_at(server.where().port()));
    CHECK(result.passed());
    CHECK(server.last_request == "PING\r\n\r\n");
  }
  SUBCASE("a greeting, nothing is sent") {
    config.match.send.clear();
    server.script.at_once = true;
    CHECK(run_check(io, config, peer_at(server.where().port())).passed());
    CHECK(server.last_request.empty());
  }
  SUBCASE("another answer, and then silence: the reason tells of both") {
    config.timeout = Duration{30};
    server.script.answer = "-ERR\r\n";
    const auto result = run_check(io, config, peer_at(server.where().port()));
    CHECK(result.layer == CheckLayer::timeout);
    CHECK(result.detail == "want \"+PONG\", got \"-ERR\\r\\n\" took longer than 30 ms");
  }
  SUBCASE("it is enough that it was sent") {
    config.match.expect.reset();
    const auto result = run_check(io, config, peer_at(server.where().port()));
    CHECK(result.passed());
    CHECK(result.detail == "sent");
  }
}

TEST_CASE("a body that is looked at") {
  test::asio::io_context io;
  test::TcpServer server(io, test::any_port());
  config::HealthCheckConfig config = short_check(5000);
  config.match.body = {{.kind = config::MatchConfig::Test::Kind::equals, .text = "ok"}};
  SUBCASE("byte by byte") {
    server.script = {.answer = answer("200 OK"), .byte_by_byte = true};
    CHECK(run_check(io, config, peer_at(server.where().port())).passed());
  }
  SUBCASE("longer than the limit, without end") {
    server.script = {.answer = "HTTP/1.0 200 OK\r\n\r\n" + std::string(70000, 'x'),
                     .repeat_forever = true};
    const auto result = run_check(io, config, peer_at(server.where().port()));
    CHECK(result.layer == CheckLayer::body);
  }
  SUBCASE("that does not come") {
    config.timeout = Duration{30};
    server.script.answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no";
    const auto result = run_check(io, config, peer_at(server.where().port()));
    CHECK(result.layer == CheckLayer::timeout);
    CHECK(result.detail == "the body took longer than 30 ms");
  }
}

TEST_CASE("Unix sockets") {
  test::asio::io_context io;
  const std::string path = "/tmp/weir-check-" + std::to_string(getpid()) + ".sock";
  upstream::PeerSpec peer;
  peer.endpoint.unix_path = path;
  const auto missing = run_check(io, short_check(5000), peer);
  CHECK(missing.layer == CheckLayer::connect);
  CHECK(missing.detail == "no such file or directory");
  {
    test::UnixServer server(io, {path});
    server.script.answer = answer("200 OK");
    CHECK(run_check(io, short_check(5000), peer).passed());
  }
  unlink(path.c_str());
  peer.endpoint.unix_path = std::string(200, 'a');
  const auto too_long = run_check(io, short_check(5000), peer);
  CHECK(too_long.layer == CheckLayer::connect);
  CHECK(too_long.detail == "file name too long");
}

TEST_CASE("a cancelled check says nothing") {
  test::asio::io_context io;
  test::TcpServer server(io, test::any_port());
  bool told = false;
  auto check = std::make_shared<Check>(io, short_check(20), peer_at(server.where().port()), nullptr,
                                       [&told](const CheckResult&) { told = true; });
  check->start();
  SUBCASE("at once") {}
  SUBCASE("while it waits for the answer") {
    CHECK(test::run_until(io, [&server] { return !server.last_request.empty(); }));
  }
  check->cancel();
  const std::weak_ptr<Check> left = check;
  check.reset();
  CHECK(test::run_until(io, [&] { return left.expired() && server.open == 0; }));
  CHECK_FALSE(told);
}

}  // namespace weir::probe
