#include "probe/dialogue.h"

#include <doctest/doctest.h>

#include <random>

#include "config/regex.h"
#include "probe/http_dialogue.h"
#include "probe/tcp_dialogue.h"

namespace weir::probe {
using upstream::CheckLayer;
using upstream::CheckResult;

namespace {

using Test = config::MatchConfig::Test;

Test regex(const char* pattern, bool negated = false) {
  std::string error;
  return {.kind = Test::Kind::regex,
          .negated = negated,
          .text = pattern,
          .regex = config::Regex::compile(pattern, false, error)};
}

config::HealthCheckConfig http_check() {
  config::HealthCheckConfig check;
  check.match.status = {{.from = 200, .to = 399}};
  return check;
}

upstream::PeerSpec some_peer() {
  upstream::PeerSpec peer;
  peer.name = "app:80";
  return peer;
}

// What comes of `bytes`, given in pieces of this size, and of the end of the connection after them.
struct Outcome {
  std::optional<CheckResult> verdict;
  bool reusable = false;
  std::size_t used = 0;  // bytes given before the verdict
};

Outcome give(Dialogue& dialogue, std::string_view bytes, std::size_t piece, bool close) {
  Outcome out;
  std::string reply;
  while (!bytes.empty() && !out.verdict) {
    const auto part = bytes.substr(0, piece);
    out.verdict = dialogue.take(part, reply);
    out.used += part.size();
    bytes.remove_prefix(part.size());
  }
  if (!out.verdict && close) out.verdict = dialogue.ended();
  out.reusable = out.verdict && dialogue.reusable();
  CHECK(reply.empty());
  return out;
}

std::string chunked(std::string_view body, std::size_t size) {
  std::string out;
  char line[20];
  while (!body.empty()) {
    const auto part = body.substr(0, size);
    std::snprintf(line, sizeof line, "%zx\r\n", part.size());
    out.append(line).append(part).append("\r\n");
    body.remove_prefix(part.size());
  }
  return out + "0\r\nX-T: x\r\n\r\n";
}

}  // namespace

TEST_CASE("bodies, whatever pieces they come in") {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::string counted = ok + "Content-Length: 7\r\n\r\n";
  const std::string by_chunks = ok + "Transfer-Encoding: chunked\r\n\r\n";
  const std::string by_close = "HTTP/1.0 200 OK\r\n\r\n";
  struct Row {
    const char* name;
    std::string answer;
    CheckLayer layer;
    std::string detail;
    bool close = false;
  };
  const std::string fault = "body must match ~ \"re+ady\", ";
  const Row rows[] = {
      {"counted", counted + "reeeady", CheckLayer::ok, "got 200"},
      {"counted, other", counted + "waiting", CheckLayer::body, fault + "begins with \"waiting\""},
      {"counted, what comes behind it does not count", counted + "waiting ready", CheckLayer::body,
       fault + "begins with \"waiting\""},
      {"no body", ok + "Content-Length: 0\r\n\r\n", CheckLayer::body, fault + "is empty"},
      {"no body by its status", "HTTP/1.1 204 No Content\r\n\r\n", CheckLayer::body,
       fault + "is empty"},
      {"chunked", by_chunks + chunked("rea" + std::string("dy"), 2), CheckLayer::ok, "got 200"},
      {"chunked, other", by_chunks + chunked("waiting", 3), CheckLayer::body,
       fault + "begins with \"waiting\""},
      {"until it closes", by_close + "ready", CheckLayer::ok, "got 200", true},
      {"until it closes, nothing", by_close, CheckLayer::body, fault + "is empty", true},
      {"closes inside a counted body", counted + "read", CheckLayer::response,
       "connection closed inside the body of the answer", true},
      {"closes inside a chunked body", by_chunks + "5\r\nready\r\n", CheckLayer::response,
       "connection closed inside the body of the answer", true},
      {"garbage for chunks", by_chunks + "ready", CheckLayer::response,
       "invalid body: chunk size is not hexadecimal"},
      {"a status that is not wanted is told before the body comes",
       "HTTP/1.1 503 No\r\nContent-Length: 7\r\n\r\n", CheckLayer::status, "got 503, want 200-399"},
  };
  auto check = http_check();
  check.match.body = {regex("re+ady")};
  for (const auto& row : rows) {
    for (const std::size_t piece : {1UL, 3UL, 100000UL}) {
      CAPTURE(row.name);
      CAPTURE(piece);
      HttpDialogue dialogue(check, some_peer());
      const auto out = give(dialogue, row.answer, piece, row.close);
      REQUIRE(out.verdict);
      CHECK(std::string(to_string(out.verdict->layer)) == to_string(row.layer));
      if (row.layer != CheckLayer::response || row.close) CHECK(out.verdict->detail == row.detail);
    }
  }
}

TEST_CASE("of a body the first 256 KiB are looked at") {
  constexpr auto most = HttpDialogue::kBodyLimit;
  struct Row {
    const char* name;
    std::size_t before;  // bytes before the word
    bool passes;
  };
  const Row rows[] = {
      {"at its start", 0, true},
      {"just inside", most - 5, true},
      {"cut off", most - 4, false},
      {"behind it", most, false},
  };
  auto check = http_check();
  check.match.body = {{.kind = Test::Kind::contains, .text = "ready"}};
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const std::string body = std::string(row.before, '.') + "ready" + std::string(2 * most, '.');
    const std::string heads[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(body, 8000),
        "HTTP/1.0 200 OK\r\n\r\n" + body,
    };
    for (const auto& answer : heads) {
      HttpDialogue dialogue(check, some_peer());
      const auto out = give(dialogue, answer, 4096, false);  // no end is needed
      REQUIRE(out.verdict);
      CHECK(out.verdict->passed() == row.passes);
      CHECK(out.used < answer.size());
      CHECK_FALSE(out.reusable);
    }
  }
}

TEST_CASE("which connections carry another check") {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  struct Row {
    const char* name;
    std::string answer;
    bool reusable;
    bool judged_by_head = false;
  };
  const Row rows[] = {
      {"counted", ok + "Content-Length: 2\r\n\r\nok", true},
      {"empty", ok + "Content-Length: 0\r\n\r\n", true},
      {"no content", "HTTP/1.1 204 No Content\r\n\r\n", true},
      {"chunked", ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", true},
      {"chunked, its end to come", ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", false,
       true},
      {"garbage for chunks", ok + "Transfer-Encoding: chunked\r\n\r\nok", false, true},
      {"closes", ok + "Connection: close\r\nContent-Length: 2\r\n\r\nok", false},
      {"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", false},
      {"something behind it", ok + "Content-Length: 2\r\n\r\nok!", false},
      {"long", ok + "Content-Length: 1000000\r\n\r\nok", false, true},
      {"until it closes", ok + "\r\nok", false, true},
      {"upgraded", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
       false},
      {"failed", "HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nok", false},
  };
  auto check = http_check();
  check.keepalive_time = std::chrono::hours{1};
  check.match.status.push_back({.from = 101, .to = 101});
  for (const auto& row : rows) {
    CAPTURE(row.name);
    HttpDialogue dialogue(check, some_peer());
    const auto out = give(dialogue, row.answer, 100000, false);
    REQUIRE(out.verdict);
    CHECK(out.reusable == row.reusable);
    CHECK(dialogue.opening().find("Connection:") == std::string::npos);
  }
  // A short body of which the end is known is waited for, but only for the connection's sake.
  HttpDialogue dialogue(check, some_peer());
  CHECK_FALSE(give(dialogue, ok + "Content-Length: 2\r\n\r\no", 100000, false).verdict);
  CHECK(give(dialogue, "k", 1, false).reusable);
  check.keepalive_time = Duration{0};
  HttpDialogue single(check, some_peer());
  CHECK(give(single, ok + "Content-Length: 2\r\n\r\no", 100000, false).verdict);
}

TEST_CASE("whatever comes, the verdict is the same however it is cut into pieces") {
  // Answers with bytes changed, taken out or doubled, as a broken or hostile node would send.
  const std::string seeds[] = {
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nready",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked("not ready", 2),
      "HTTP/1.1 103 Early\r\n\r\nHTTP/1.0 200 OK\r\n\r\nready",
  };
  auto check = http_check();
  check.match.body = {regex("re+ady")};
  check.match.headers = {{.kind = Test::Kind::present, .negated = true, .name = "Refresh"}};
  std::mt19937 random(4);
  for (int round = 0; round < 3000; ++round) {
    std::string answer = seeds[random() % std::size(seeds)];
    for (auto changes = random() % 4; changes > 0 && !answer.empty(); --changes) {
      const auto at = random() % answer.size();
      switch (random() % 3) {
        case 0:
          answer[at] = static_cast<char>(random());
          break;
        case 1:
          answer.erase(at, 1 + random() % 3);
          break;
        default:
          answer.insert(at, answer.substr(at, 1 + random() % 9));
          break;
      }
    }
    CAPTURE(answer);
    HttpDialogue whole(check, some_peer());
    HttpDialogue cut(check, some_peer());
    const auto one = give(whole, answer, answer.size() + 1, true);
    const auto many = give(cut, answer, 1 + random() % 5, true);
    REQUIRE(one.verdict);
    REQUIRE(many.verdict);
    CHECK(one.verdict->layer == many.verdict->layer);
    // A head that is broken off may be found wrong before its end, or not.
    if (one.verdict->layer != CheckLayer::response) {
      CHECK(one.verdict->detail == many.verdict->detail);
    }
  }
}

TEST_CASE("send and expect") {
  struct Row {
    const char* name;
    Test expect;
    std::string answer;
    CheckLayer layer;
    std::string detail;
    bool close = false;
  };
  const Test pong{.kind = Test::Kind::contains, .text = "+PONG\r\n"};
  const Row rows[] = {
      {"as wanted", pong, "+PONG\r\n", CheckLayer::ok, "got \"+PONG\\r\\n\""},
      {"after something else", pong, "hello\r\n+PONG\r\n", CheckLayer::ok,
       "got \"hello\\r\\n+PONG\\r\\n\""},
      {"other, and closes", pong, "-ERR\r\n", CheckLayer::response,
       "connection closed, want \"+PONG\\r\\n\", got \"-ERR\\r\\n\"", true},
      {"closes", pong, "", CheckLayer::response,
       "connection closed, want \"+PONG\\r\\n\", got nothing", true},
      {"too much", pong, std::string(TcpDialogue::kLimit + 9, 'x'), CheckLayer::response,
       "got too much, want \"+PONG\\r\\n\", got \"" + std::string(60, 'x') + "...\""},
      {"by a pattern", regex("^220[ -].*ESMTP"), "220 mail ESMTP\r\n", CheckLayer::ok,
       "got \"220 mail ESMTP\""},
      {"by a pattern, other", regex("^220[ -]"), "554 no\r\n", CheckLayer::response,
       "connection closed, want ~ \"^220[ -]\", got \"554 no\\r\\n\"", true},
  };
  config::MatchConfig match;
  match.send = "PING\r\n";
  for (const auto& row : rows) {
    for (const std::size_t piece : {1UL, 1000UL}) {
      CAPTURE(row.name);
      CAPTURE(piece);
      match.expect = row.expect;
      TcpDialogue dialogue(match);
      CHECK(dialogue.opening() == "PING\r\n");
      CHECK_FALSE(dialogue.sent());
      const auto out = give(dialogue, row.answer, piece, row.close);
      REQUIRE(out.verdict);
      CHECK(out.verdict->layer == row.layer);
      if (row.layer != CheckLayer::ok || piece == 1) CHECK(out.verdict->detail == row.detail);
    }
  }
  match.expect.reset();
  TcpDialogue only_sends(match);
  REQUIRE(only_sends.sent());
  CHECK(only_sends.sent()->passed());
}

}  // namespace weir::probe
