#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "http/head.h"

using namespace weir::http;
using namespace std::string_literals;

namespace {

struct Outcome {
  ParseResult result;
  ResponseHead head;
  std::string copy;  // what head.base points to
};

// As growing prefixes of the sizes `first`, `first + step`, ...
void parse(const std::string& bytes, std::size_t first, std::size_t step, Method method,
           Outcome& outcome, const Limits& limits = {}) {
  ParseState state;
  for (std::size_t size = first;; size = std::min(size + step, bytes.size())) {
    outcome.copy = bytes.substr(0, size);
    outcome.copy.shrink_to_fit();
    outcome.result = parse_response(outcome.copy, limits, state, method, outcome.head);
    if (outcome.result.status != ParseStatus::need_more || size == bytes.size()) return;
  }
}

std::string describe(const ResponseHead& head) {
  std::string out = std::to_string(head.status) + '|' + std::string(head.reason_text()) + '|' +
                    std::to_string(head.version) + '|' + std::to_string(head.size) + '|' +
                    std::to_string(static_cast<int>(head.framing.kind)) + '|' +
                    std::to_string(head.framing.length) + '|' + std::to_string(head.keep_alive) +
                    std::to_string(head.connection_names_fields) + '|' +
                    std::to_string(head.keep_alive_timeout);
  for (const Field& field : head.fields) {
    out += '\n' + std::string(head.name(field)) + '=' + std::string(head.value(field)) + '/' +
           std::to_string(static_cast<int>(field.id)) + std::to_string(field.invalid_name);
  }
  return out;
}

using Kind = Framing::Kind;
constexpr auto none = Kind::none, counted = Kind::counted, chunked = Kind::chunked,
               until_close = Kind::until_close;

struct Good {
  std::string name;
  std::string bytes;
  std::uint16_t status;
  std::string reason;
  Kind kind;
  std::uint64_t length;
  bool keep_alive;
  Method method = Method::get;
};

const std::string ok = "HTTP/1.1 200 OK\r\n";
std::string with(const std::string& fields) { return ok + fields + "\r\n"; }
std::string status(const std::string& code, const std::string& fields) {
  return "HTTP/1.1 " + code + " X\r\n" + fields + "\r\n";
}
const std::string length3 = "Content-Length: 3\r\n";
const std::string te = "Transfer-Encoding: chunked\r\n";

const Good good[] = {
    {"plain", with(length3), 200, "OK", counted, 3, true},
    {"empty body", with("Content-Length: 0\r\n"), 200, "OK", counted, 0, true},
    {"chunked", with("Transfer-Encoding: Chunked\r\n"), 200, "OK", chunked, 0, true},
    {"until close", with(""), 200, "OK", until_close, 0, false},
    {"until close, keep-alive", with("Connection: keep-alive\r\n"), 200, "OK", until_close, 0,
     false},
    {"close", with(length3 + "Connection: close\r\n"), 200, "OK", counted, 3, false},
    {"1.0", "HTTP/1.0 200 OK\r\n" + length3 + "\r\n", 200, "OK", counted, 3, false},
    {"1.0 keep-alive", "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n" + length3 + "\r\n", 200,
     "OK", counted, 3, true},
    {"1.0 until close", "HTTP/1.0 200 OK\r\n\r\n", 200, "OK", until_close, 0, false},
    {"1.3", "HTTP/1.3 200 OK\r\n" + length3 + "\r\n", 200, "OK", counted, 3, true},
    {"no reason", "HTTP/1.1 200 \r\n" + length3 + "\r\n", 200, "", counted, 3, true},
    {"no reason, no space", "HTTP/1.1 200\r\n" + length3 + "\r\n", 200, "", counted, 3, true},
    {"odd reason", "HTTP/1.1 299 \tZurück: (a) \xff\r\n" + length3 + "\r\n", 299,
     "\tZurück: (a) \xff", counted, 3, true},
    {"status 999", status("999", length3), 999, "X", counted, 3, true},
    {"underscore in a name", with(length3 + "X_y: 1\r\n"), 200, "OK", counted, 3, true},

    {"HEAD with length", with(length3), 200, "OK", none, 0, true, Method::head},
    {"HEAD chunked", with(te), 200, "OK", none, 0, true, Method::head},
    {"HEAD with neither", with(""), 200, "OK", none, 0, true, Method::head},
    {"304 with length", status("304", length3), 304, "X", none, 0, true},
    {"304 chunked", status("304", te), 304, "X", none, 0, true},
    {"304 with neither", status("304", ""), 304, "X", none, 0, true},
    {"204", status("204", ""), 204, "X", none, 0, true},
    {"204 with length 0", status("204", "Content-Length: 0\r\n"), 204, "X", none, 0, true},
    {"100", status("100", ""), 100, "X", none, 0, true},
    {"103", status("103", "Link: a\r\n"), 103, "X", none, 0, true},
    {"101", status("101", "Connection: upgrade\r\nUpgrade: websocket\r\n"), 101, "X", none, 0,
     true},
    {"205 with length", status("205", length3), 205, "X", counted, 3, true},
};

struct Bad {
  std::string name;
  std::string bytes;
  Method method = Method::get;
};

const Bad bad[] = {
    {"HTTP/0.9", "<html>\r\n\r\n"},
    {"HTTP/0.9 in the status line", "HTTP/0.9 200 OK\r\n\r\n"},
    {"HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n"},
    {"HTTP/1.10", "HTTP/1.10 200 OK\r\n\r\n"},
    {"http/1.1", "http/1.1 200 OK\r\n\r\n"},
    {"ICY", "ICY 200 OK\r\n\r\n"},
    {"empty line first", "\r\n" + with(length3)},
    {"blank first", " " + with(length3)},
    {"two spaces", "HTTP/1.1  200 OK\r\n\r\n"},
    {"tab", "HTTP/1.1\t200 OK\r\n\r\n"},
    {"status 099", "HTTP/1.1 099 X\r\n\r\n"},
    {"status 20", "HTTP/1.1 20 X\r\n\r\n"},
    {"status 2000", "HTTP/1.1 2000 X\r\n\r\n"},
    {"status 2x0", "HTTP/1.1 2x0 X\r\n\r\n"},
    {"status +20", "HTTP/1.1 +20 X\r\n\r\n"},
    {"no status", "HTTP/1.1\r\n\r\n"},
    {"tab after the status", "HTTP/1.1 200\tOK\r\n\r\n"},
    {"NUL in the reason", "HTTP/1.1 200 O\0K\r\n\r\n"s},
    {"control character in the reason", "HTTP/1.1 200 O\x1bK\r\n\r\n"},
    {"bare CR in the reason", "HTTP/1.1 200 O\rK\r\n\r\n"},
    {"bare LF after the status line", "HTTP/1.1 200 OK\n" + length3 + "\r\n"},
    {"bare LF after the status", "HTTP/1.1 200\n\r\n"},
    {"bare LF everywhere", "HTTP/1.1 200 OK\nContent-Length: 3\n\n"},
    {"bare LF after a header", ok + "A: b\n\r\n"},
    {"bare LF as the empty line", ok + length3 + "\n"},
    {"bare CR in a value", with("A: b\rc\r\n")},
    {"NUL in a value", with("A: b\0c\r\n"s)},
    {"NUL in a name", with("A\0: c\r\n"s)},
    {"obs-fold", with("A: b\r\n c\r\n")},
    {"blank before the first header", with(" A: b\r\n")},
    {"space before the colon", with("A : b\r\n")},
    {"no colon", with("A\r\n")},
    {"empty name", with(": b\r\n")},
    {"name with (", with("A(b: c\r\n")},
    {"name with a byte over 127", with("A\xa0: c\r\n")},
    {"two equal lengths", with(length3 + length3)},
    {"two lengths", with(length3 + "Content-Length: 4\r\n")},
    {"list of lengths", with("Content-Length: 3, 3\r\n")},
    {"length +3", with("Content-Length: +3\r\n")},
    {"length 0x3", with("Content-Length: 0x3\r\n")},
    {"empty length", with("Content-Length:\r\n")},
    {"length too big", with("Content-Length: 18446744073709551616\r\n")},
    {"bad length to HEAD", with("Content-Length: x\r\n"), Method::head},
    {"bad length with 304", status("304", "Content-Length: 3, 3\r\n")},
    {"both", with(length3 + te)},
    {"both to HEAD", with(length3 + te), Method::head},
    {"chunked in 1.0", "HTTP/1.0 200 OK\r\n" + te + "\r\n"},
    {"xchunked", with("Transfer-Encoding: xchunked\r\n")},
    {"gzip, chunked", with("Transfer-Encoding: gzip, chunked\r\n")},
    {"identity", with("Transfer-Encoding: identity\r\n")},
    {"two codings", with(te + te)},
    {"chunked with vertical tab", with("Transfer-Encoding: \x0b"
                                       "chunked\r\n")},
    {"204 chunked", status("204", te)},
    {"204 with length", status("204", length3)},
    {"100 chunked", status("100", te)},
    {"100 with length", status("100", length3)},
    {"101 chunked", status("101", te)},
};

void check_all_splits(const std::string& bytes, Method method, const Outcome& whole) {
  for (std::size_t first = 0; first <= bytes.size(); ++first) {
    Outcome outcome;
    parse(bytes, first, first == 0 ? 1 : bytes.size(), method, outcome);
    CAPTURE(first);
    REQUIRE(outcome.result.status == whole.result.status);
    REQUIRE(std::string_view(outcome.result.reason) == whole.result.reason);
    if (outcome.result.status == ParseStatus::complete) {
      outcome.head.base = outcome.copy.data();
      REQUIRE(describe(outcome.head) == describe(whole.head));
    }
  }
}

}  // namespace

TEST_CASE("good responses, however they are cut") {
  for (const Good& row : good) {
    CAPTURE(row.name);
    Outcome whole;
    parse(row.bytes, row.bytes.size(), 1, row.method, whole);
    CAPTURE(std::string(whole.result.reason));
    REQUIRE(whole.result.status == ParseStatus::complete);
    CHECK(whole.head.size == row.bytes.size());
    CHECK(whole.head.status == row.status);
    CHECK(whole.head.reason_text() == row.reason);
    CHECK(whole.head.framing.kind == row.kind);
    CHECK(whole.head.framing.length == row.length);
    CHECK(whole.head.keep_alive == row.keep_alive);
    check_all_splits(row.bytes, row.method, whole);
  }
}

TEST_CASE("bad responses, however they are cut") {
  for (const Bad& row : bad) {
    CAPTURE(row.name);
    Outcome whole;
    parse(row.bytes, row.bytes.size(), 1, row.method, whole);
    CHECK(whole.result.status == ParseStatus::error);
    check_all_splits(row.bytes, row.method, whole);
  }
}

TEST_CASE("Keep-Alive and Connection of a response") {
  struct Hint {
    std::string fields;
    std::uint32_t timeout;
  };
  const Hint hints[] = {
      {"", 0},
      {"Keep-Alive: timeout=5\r\n", 5},
      {"Keep-Alive: timeout=5, max=100\r\n", 5},
      {"Keep-Alive: max=100,TimeOut=65\r\n", 65},
      {"Keep-Alive: timeout=\r\n", 0},
      {"Keep-Alive: timeout=x\r\n", 0},
      {"Keep-Alive: xtimeout=5\r\n", 0},
      {"Keep-Alive: 300\r\n", 0},
      {"Keep-Alive: timeout=999999999999\r\n", 86400},
      {"Keep-Alive: timeout=99999999999999999999999\r\n", 0},
  };
  for (const Hint& hint : hints) {
    CAPTURE(hint.fields);
    Outcome outcome;
    const std::string bytes = with(length3 + hint.fields);
    parse(bytes, bytes.size(), 1, Method::get, outcome);
    REQUIRE(outcome.result.status == ParseStatus::complete);
    CHECK(outcome.head.keep_alive_timeout == hint.timeout);
    CHECK_FALSE(outcome.head.connection_names_fields);
  }
  Outcome outcome;
  const std::string bytes = with(length3 + "Connection: keep-alive, X-Internal\r\n");
  parse(bytes, bytes.size(), 1, Method::get, outcome);
  CHECK(outcome.head.connection_names_fields);
  CHECK(outcome.head.keep_alive);
}

TEST_CASE("limits of a response") {
  Limits limits;
  limits.head = 100;
  limits.line = 50;
  limits.fields = 2;
  const Bad rows[] = {
      {"reason too long", "HTTP/1.1 200 " + std::string(38, 'x') + "\r\n\r\n"},
      {"reason without end", "HTTP/1.1 200 " + std::string(60, 'x')},
      {"line too long", with("A: " + std::string(48, 'x') + "\r\n")},
      {"too many fields", with("A: b\r\nA: b\r\nA: b\r\n")},
      {"head too long",
       with("A: " + std::string(40, 'x') + "\r\nA: " + std::string(35, 'x') + "\r\n")},
  };
  for (const Bad& row : rows) {
    CAPTURE(row.name);
    Outcome outcome;
    parse(row.bytes, row.bytes.size(), 1, Method::get, outcome, limits);
    CHECK(outcome.result.status == ParseStatus::error);
  }
  const std::string fits = "HTTP/1.1 200 " + std::string(37, 'x') + "\r\nA: b\r\nA: b\r\n\r\n";
  Outcome outcome;
  parse(fits, fits.size(), 1, Method::get, outcome, limits);
  CHECK(outcome.result.status == ParseStatus::complete);
}
