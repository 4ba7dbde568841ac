#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>

#include "http/head.h"

using namespace weir::http;
using namespace std::string_literals;

namespace {

struct Outcome {
  ParseResult result;
  std::size_t bytes_seen = 0;  // how many were there when the answer came
  RequestHead head;
  std::string copy;  // what head.base points to
};

// Gives `bytes` to the parser as growing prefixes of the sizes `first`, `first + step`, ... Each
// prefix is a buffer of exactly its size, at another address.
void parse(const std::string& bytes, std::size_t first, std::size_t step, const Limits& limits,
           Outcome& outcome) {
  ParseState state;
  for (std::size_t size = first;; size = std::min(size + step, bytes.size())) {
    outcome.copy = bytes.substr(0, size);
    outcome.copy.shrink_to_fit();
    outcome.result = parse_request(outcome.copy, limits, state, outcome.head);
    outcome.bytes_seen = size;
    if (outcome.result.status != ParseStatus::need_more || size == bytes.size()) return;
  }
}

Outcome parse_whole(const std::string& bytes, const Limits& limits = {}) {
  Outcome outcome;
  parse(bytes, bytes.size(), 1, limits, outcome);
  outcome.head.base = outcome.copy.data();
  return outcome;
}

// Everything the parser says about a head, as text.
std::string describe(const RequestHead& head) {
  std::string out = std::string(head.method_text()) + '|' + std::string(head.target_text()) + '|' +
                    std::string(head.path_text()) + '|' + std::string(head.query_text()) + '|' +
                    std::string(head.host_text()) + '|' + std::to_string(head.version) + '|' +
                    std::to_string(head.size) + '|' +
                    std::to_string(static_cast<int>(head.framing.kind)) + '|' +
                    std::to_string(head.framing.length) + '|' + std::to_string(head.keep_alive) +
                    std::to_string(head.expect_continue) + std::to_string(head.upgrade) +
                    std::to_string(head.connection_names_fields) + std::to_string(head.has_query);
  for (const Field& field : head.fields) {
    out += '\n' + std::string(head.name(field)) + '=' + std::string(head.value(field)) + '/' +
           std::to_string(static_cast<int>(field.id)) + std::to_string(field.invalid_name);
  }
  return out;
}

void check_all_splits(const std::string& bytes, const Limits& limits, const Outcome& whole) {
  const std::string want = whole.result.status == ParseStatus::complete ? describe(whole.head) : "";
  for (std::size_t first = 0; first <= bytes.size(); ++first) {
    // At `first` two pieces; for 0 single bytes.
    Outcome outcome;
    parse(bytes, first, first == 0 ? 1 : bytes.size(), limits, outcome);
    CAPTURE(first);
    if (whole.result.status == ParseStatus::error &&
        outcome.result.status == ParseStatus::need_more) {
      // An error in a head that has not ended is seen no later than at twice the size.
      parse(bytes + std::string(bytes.size(), 'x'), first, first == 0 ? 1 : bytes.size(), limits,
            outcome);
    }
    REQUIRE(outcome.result.status == whole.result.status);
    REQUIRE(outcome.result.http_status == whole.result.http_status);
    REQUIRE(std::string_view(outcome.result.reason) == whole.result.reason);
    if (outcome.result.status == ParseStatus::complete) {
      outcome.head.base = outcome.copy.data();
      REQUIRE(describe(outcome.head) == want);
    }
  }
}

constexpr int ok = 0, more = 1;

struct Row {
  std::string name;
  std::string bytes;
  int want;  // ok, more, or the status of the error
  bool ignore_invalid_headers = true;
  bool underscores_in_headers = false;
};

const std::string get = "GET / HTTP/1.1\r\n";
const std::string host = "Host: a\r\n";
std::string with(const std::string& fields) { return get + host + fields + "\r\n"; }
std::string line(const std::string& request_line) { return request_line + "\r\n" + host + "\r\n"; }

const Row rows[] = {
    {"plain", with(""), ok},
    {"nothing", "", more},
    {"no end yet", get + host, more},
    {"half of the last CRLF", get + host + "\r", more},
    {"only an empty line", "\r\n", more},

    // Transfer-Encoding
    {"chunked", with("Transfer-Encoding: chunked\r\n"), ok},
    {"chunked in capitals", with("Transfer-Encoding: CHUNKED\r\n"), ok},
    {"chunked with blanks around", with("Transfer-Encoding: \t chunked \t\r\n"), ok},
    {"xchunked", with("Transfer-Encoding: xchunked\r\n"), 501},
    {"chunked, identity", with("Transfer-Encoding: chunked, identity\r\n"), 501},
    {"identity", with("Transfer-Encoding: identity\r\n"), 501},
    {"gzip, chunked", with("Transfer-Encoding: gzip, chunked\r\n"), 501},
    {"chunked, chunked", with("Transfer-Encoding: chunked, chunked\r\n"), 501},
    {"chunked with a comma", with("Transfer-Encoding: chunked,\r\n"), 501},
    {"chunked with a parameter", with("Transfer-Encoding: chunked;q=1\r\n"), 501},
    {"chunked in quotes", with("Transfer-Encoding: \"chunked\"\r\n"), 501},
    {"empty Transfer-Encoding", with("Transfer-Encoding:\r\n"), 501},
    {"two Transfer-Encoding", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
     501},
    {"gzip and chunked in two", with("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"),
     501},
    {"chunked before vertical tab", with("Transfer-Encoding: chunked\x0b\r\n"), 400},
    {"vertical tab before chunked",
     with("Transfer-Encoding: \x0b"
          "chunked\r\n"),
     400},
    {"chunked in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"CL and TE", with("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), 400},
    {"TE and CL", with("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"), 400},
    {"TE and CL 0", with("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"), 400},
    {"strange TE and CL", with("Transfer-Encoding: xchunked\r\nContent-Length: 3\r\n"), 400},

    // Content-Length
    {"Content-Length", with("Content-Length: 3\r\n"), ok},
    {"Content-Length 0", with("Content-Length: 0\r\n"), ok},
    {"Content-Length with zeros", with("Content-Length: 003\r\n"), ok},
    {"two equal Content-Length", with("Content-Length: 3\r\nContent-Length: 3\r\n"), 400},
    {"two different Content-Length", with("Content-Length: 3\r\nContent-Length: 4\r\n"), 400},
    {"list of equal Content-Length", with("Content-Length: 3, 3\r\n"), 400},
    {"Content-Length +3", with("Content-Length: +3\r\n"), 400},
    {"Content-Length -3", with("Content-Length: -3\r\n"), 400},
    {"Content-Length 0x3", with("Content-Length: 0x3\r\n"), 400},
    {"Content-Length 3 4", with("Content-Length: 3 4\r\n"), 400},
    {"Content-Length 3.0", with("Content-Length: 3.0\r\n"), 400},
    {"empty Content-Length", with("Content-Length:\r\n"), 400},
    {"largest Content-Length", with("Content-Length: 9223372036854775807\r\n"), ok},
    {"Content-Length 2^63", with("Content-Length: 9223372036854775808\r\n"), 400},
    {"Content-Length 2^64 + 3", with("Content-Length: 18446744073709551619\r\n"), 400},
    {"Content-Length of 30 digits", with("Content-Length: 100000000000000000000000000003\r\n"),
     400},

    // Host
    {"no Host in HTTP/1.1", get + "\r\n", 400},
    {"no Host in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", ok},
    {"two Host", with("Host: a\r\n"), 400},
    {"two Host in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n", 400},
    {"empty Host", get + "Host:\r\n\r\n", 400},
    {"empty Host with port", get + "Host: :80\r\n\r\n", 400},
    {"Host with port", get + "Host: a.example:8080\r\n\r\n", ok},
    {"Host with empty port", get + "Host: a:\r\n\r\n", ok},
    {"Host with port 65536", get + "Host: a:65536\r\n\r\n", 400},
    {"Host with port x", get + "Host: a:x\r\n\r\n", 400},
    {"Host with two ports", get + "Host: a:1:2\r\n\r\n", 400},
    {"Host with IPv6", get + "Host: [::1]:80\r\n\r\n", ok},
    {"Host with IPv6, not closed", get + "Host: [::1\r\n\r\n", 400},
    {"Host with IPv6, followed by text", get + "Host: [::1]a\r\n\r\n", 400},
    {"Host with empty brackets", get + "Host: []\r\n\r\n", 400},
    {"Host with slash", get + "Host: a/b\r\n\r\n", 400},
    {"Host with user", get + "Host: u@a\r\n\r\n", 400},
    {"Host with space", get + "Host: a b\r\n\r\n", 400},
    {"Host with backslash", get + "Host: a\\b\r\n\r\n", 400},
    {"Host with quotes", get + "Host: \"a\"\r\n\r\n", 400},
    {"Host with question mark", get + "Host: a?b\r\n\r\n", 400},
    {"Host with fragment", get + "Host: a#b\r\n\r\n", 400},
    {"Host not in ASCII", get + "Host: \xc3\xa4\r\n\r\n", 400},
    {"Host with escape", get + "Host: a%20b\r\n\r\n", ok},
    {"Host with half an escape", get + "Host: a%2\r\n\r\n", 400},
    {"Host with NUL", get + "Host: a\0b\r\n\r\n"s, 400},

    // Lines and blanks
    {"obs-fold", with("X: a\r\n b\r\n"), 400},
    {"obs-fold with tab", with("X: a\r\n\tb\r\n"), 400},
    {"obs-fold of Transfer-Encoding", with("Transfer-Encoding:\r\n chunked\r\n"), 400},
    {"blank before the first header", get + " " + host + "\r\n", 400},
    {"tab before the first header", get + "\t" + host + "\r\n", 400},
    {"line of blanks", get + host + " \r\n\r\n", 400},
    {"bare LF after the request line", "GET / HTTP/1.1\n" + host + "\r\n", 400},
    {"bare LF after a header", get + "Host: a\n\r\n", 400},
    {"bare LF everywhere", "GET / HTTP/1.1\nHost: a\n\n", 400},
    {"bare LF as the empty line", get + host + "\n", 400},
    {"bare LF before the request line", "\n" + with(""), 400},
    {"bare CR in a value", with("X: a\rb\r\n"), 400},
    {"bare CR as the empty line", get + host + "\r" + "X: a\r\n\r\n", 400},
    {"CR CR LF after a value", with("X: a\r\r\n"), 400},
    {"bare CR in the request line", "GET / HTTP/1.1\rX\r\n" + host + "\r\n", 400},
    {"NUL in a value", with("X: a\0b\r\n"s), 400},
    {"NUL in a name", with("X\0: a\r\n"s), 400},
    {"control character in a value", with("X: a\x01\r\n"), 400},
    {"escape character in a long value", with("X: 0123456789abcdef0123456789abcdef\x1b\r\n"), 400},
    {"DEL in a value", with("X: a\x7f\r\n"), 400},
    {"tab in a value", with("X: a\tb\r\n"), ok},
    {"non-ASCII in a value", with("X: \xc3\xa4\xff\x80\r\n"), ok},
    {"space before the colon", with("X : a\r\n"), 400},
    {"tab before the colon", with("X\t: a\r\n"), 400},
    {"space before the colon of TE", with("Transfer-Encoding : chunked\r\n"), 400},
    {"line without colon", with("X\r\n"), 400},
    {"empty name", with(": a\r\n"), 400},
    {"empty value", with("X:\r\n"), ok},
    {"one empty line first", "\r\n" + with(""), ok},
    {"four empty lines first", "\r\n\r\n\r\n\r\n" + with(""), ok},
    {"five empty lines first", "\r\n\r\n\r\n\r\n\r\n" + with(""), 400},
    {"CR without LF first", "\r" + with(""), 400},

    // The request line
    {"two spaces after the method", line("GET  / HTTP/1.1"), 400},
    {"two spaces before the version", line("GET /  HTTP/1.1"), 400},
    {"space before the method", line(" GET / HTTP/1.1"), 400},
    {"space after the version", line("GET / HTTP/1.1 "), 400},
    {"tab between the parts", line("GET\t/ HTTP/1.1"), 400},
    {"HTTP/1.2", line("GET / HTTP/1.2"), ok},
    {"HTTP/1.9 without Host", "GET / HTTP/1.9\r\n\r\n", 400},
    {"HTTP/0.9", line("GET / HTTP/0.9"), 400},
    {"no version", "GET /\r\n\r\n", 400},
    {"no version, a space", "GET / \r\n\r\n", 400},
    {"short version", "GET / HTTP/1\r\n\r\n", 400},
    {"HTTP/1.10", line("GET / HTTP/1.10"), 400},
    {"HTTP/01.1", line("GET / HTTP/01.1"), 400},
    {"http/1.1", line("GET / http/1.1"), 400},
    {"HTTP/2.0", line("GET / HTTP/2.0"), 505},
    {"HTTP/3.1", line("GET / HTTP/3.1"), 505},
    {"preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
    {"SIP", line("GET / SIP/2.0"), 400},
    {"CONNECT", line("CONNECT a:443 HTTP/1.1"), 405},
    {"TRACE", line("TRACE / HTTP/1.1"), 405},
    {"unknown method", line("FROB / HTTP/1.1"), ok},
    {"lower-case method", line("get / HTTP/1.1"), ok},
    {"method with a colon", line("GE:T / HTTP/1.1"), 400},
    {"method of 32 bytes", line(std::string(32, 'A') + " / HTTP/1.1"), ok},
    {"method of 33 bytes", line(std::string(33, 'A') + " / HTTP/1.1"), 400},
    {"no method", line("/ HTTP/1.1"), 400},
    {"start of TLS", "\x16\x03\x01\x02", 400},
    {"junk line", "hello\r\n", 400},
    {"status line", "HTTP/1.1 200 OK\r\n\r\n", 400},

    // The target
    {"absolute form", line("GET http://b/x HTTP/1.1"), ok},
    {"absolute form, https, capitals", line("GET HTTPS://b/x HTTP/1.1"), ok},
    {"absolute form without Host", "GET http://b/ HTTP/1.1\r\n\r\n", 400},
    {"absolute form with bad Host", "GET http://b/ HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
    {"absolute form without path", line("GET http://b HTTP/1.1"), ok},
    {"absolute form, query only", line("GET http://b?q HTTP/1.1"), ok},
    {"absolute form without host", line("GET http:///x HTTP/1.1"), 400},
    {"absolute form with user", line("GET http://u:p@b/ HTTP/1.1"), 400},
    {"absolute form, other scheme", line("GET ftp://b/ HTTP/1.1"), 400},
    {"absolute form, bad port", line("GET http://b:99999/ HTTP/1.1"), 400},
    {"authority form", line("GET b:80 HTTP/1.1"), 400},
    {"relative path", line("GET x HTTP/1.1"), 400},
    {"OPTIONS *", line("OPTIONS * HTTP/1.1"), ok},
    {"GET *", line("GET * HTTP/1.1"), 400},
    {"OPTIONS *x", line("OPTIONS *x HTTP/1.1"), 400},
    {"fragment", line("GET /a#b HTTP/1.1"), 400},
    {"fragment after query", line("GET /a?b#c HTTP/1.1"), 400},
    {"non-ASCII in the target", line("GET /\xc3\xa4 HTTP/1.1"), ok},
    {"DEL in the target", line("GET /\x7f HTTP/1.1"), 400},
    {"control character in the target", line("GET /\x01 HTTP/1.1"), 400},
    {"NUL in the target", line("GET /\0 HTTP/1.1"s), 400},
    {"quotes and braces in the target", line("GET /\"{}|\\^` HTTP/1.1"), ok},

    // Names
    {"name with (", with("X(y: a\r\n"), ok},
    {"name with (, not ignored", with("X(y: a\r\n"), 400, false},
    {"non-ASCII in a name", with("X\xc3\xa4: a\r\n"), ok},
    {"name with _", with("X_y: a\r\n"), ok},
    {"name with _, not ignored", with("X_y: a\r\n"), 400, false},
    {"name with _, allowed", with("X_y: a\r\n"), ok, false, true},
    {"Content_Length", with("Content_Length: 3\r\n"), 400},
    {"Content_Length, allowed", with("Content_Length: 3\r\n"), 400, true, true},
    {"Transfer_Encoding", with("Transfer_Encoding: chunked\r\n"), 400},
    {"Transfer-Encoding with (", with("Transfer-Encoding(: chunked\r\n"), 400},
    {"Transfer-Encoding with a byte over 127", with("Transfer-Encoding\xa0: chunked\r\n"), 400},
    {"Transfer-Encoding with vertical tab", with("Transfer-Encoding\x0b: chunked\r\n"), 400},
    {"Transfer-Encoding after form feed", with("\x0cTransfer-Encoding: chunked\r\n"), 400},
    {"\"Host\"", with("\"Host\": b\r\n"), 400},
    {"control character in a name", with("X\x01y: a\r\n"), 400},
    {"space in a name", with("X y: a\r\n"), 400},

    // Expect
    {"100-continue", with("Expect: 100-continue\r\n"), ok},
    {"100-Continue", with("Expect: 100-Continue\r\n"), ok},
    {"other Expect", with("Expect: 200-ok\r\n"), 417},
    {"empty Expect", with("Expect:\r\n"), 417},
    {"second Expect is another", with("Expect: 100-continue\r\nExpect: x\r\n"), 417},
};

}  // namespace

TEST_CASE("requests are taken or refused, however they are cut") {
  for (const Row& row : rows) {
    CAPTURE(row.name);
    Limits limits;
    limits.ignore_invalid_headers = row.ignore_invalid_headers;
    limits.underscores_in_headers = row.underscores_in_headers;
    const Outcome whole = parse_whole(row.bytes, limits);
    CAPTURE(std::string(whole.result.reason));
    const int got = whole.result.status == ParseStatus::complete    ? ok
                    : whole.result.status == ParseStatus::need_more ? more
                                                                    : whole.result.http_status;
    CHECK(got == row.want);
    if (got == ok) CHECK(whole.head.size == row.bytes.size());
    check_all_splits(row.bytes, limits, whole);
    // What follows the head is none of it.
    if (got == ok) {
      const Outcome followed = parse_whole(row.bytes + "GET /next HTTP/1.1\n\n", limits);
      CHECK(followed.result.status == ParseStatus::complete);
      CHECK(describe(followed.head) == describe(whole.head));
    }
  }
}

TEST_CASE("parts of the target") {
  struct Target {
    std::string line;
    const char *authority, *path, *query, *host;
    bool has_query;
  };
  const Target targets[] = {
      {"GET / HTTP/1.1", "", "/", "", "a", false},
      {"GET /x/y?z=1?2 HTTP/1.1", "", "/x/y", "z=1?2", "a", true},
      {"GET /? HTTP/1.1", "", "/", "", "a", true},
      {"GET //b/c HTTP/1.1", "", "//b/c", "", "a", false},
      {"GET /http://b/ HTTP/1.1", "", "/http://b/", "", "a", false},
      {"GET http://b:81/x?y HTTP/1.1", "b:81", "/x", "y", "b:81", true},
      {"GET http://b HTTP/1.1", "b", "", "", "b", false},
      {"GET http://b?/x HTTP/1.1", "b", "", "/x", "b", true},
      {"GET https://[::1]/x HTTP/1.1", "[::1]", "/x", "", "[::1]", false},
      {"OPTIONS * HTTP/1.1", "", "", "", "a", false},
  };
  for (const Target& target : targets) {
    CAPTURE(target.line);
    const Outcome outcome = parse_whole(line(target.line));
    REQUIRE(outcome.result.status == ParseStatus::complete);
    const RequestHead& head = outcome.head;
    CHECK(head.text(head.authority, head.authority_size) == target.authority);
    CHECK(head.path_text() == target.path);
    CHECK(head.query_text() == target.query);
    CHECK(head.has_query == target.has_query);
    CHECK(head.host_text() == target.host);
    CHECK(head.request_line() == target.line);
  }
}

TEST_CASE("the index of the fields") {
  const Outcome outcome = parse_whole(
      "\r\nGET / HTTP/1.1\r\nhOsT:a\r\nX-Empty:\r\nX-Blank: \t \r\nCookie: \t b=c \r\n"
      "X_Under: 1\r\nX-Long-Name-That-Nobody-Has-An-Id-For: "
      "0123456789abcdef0123456789\r\n\r\nrest");
  REQUIRE(outcome.result.status == ParseStatus::complete);
  const RequestHead& head = outcome.head;
  CHECK(head.start == 2);
  CHECK(head.size == outcome.copy.size() - 4);
  REQUIRE(head.fields.size() == 6);
  struct Want {
    const char *name, *value, *line;
    FieldId id;
    bool invalid;
  };
  const Want wants[] = {
      {"hOsT", "a", "hOsT:a\r\n", FieldId::host, false},
      {"X-Empty", "", "X-Empty:\r\n", FieldId::other, false},
      {"X-Blank", "", "X-Blank: \t \r\n", FieldId::other, false},
      {"Cookie", "b=c", "Cookie: \t b=c \r\n", FieldId::cookie, false},
      {"X_Under", "1", "X_Under: 1\r\n", FieldId::other, true},
      {"X-Long-Name-That-Nobody-Has-An-Id-For", "0123456789abcdef0123456789",
       "X-Long-Name-That-Nobody-Has-An-Id-For: 0123456789abcdef0123456789\r\n", FieldId::other,
       false},
  };
  for (std::size_t i = 0; i < head.fields.size(); ++i) {
    const Field& field = head.fields[i];
    CAPTURE(std::string(wants[i].name));
    CHECK(head.name(field) == wants[i].name);
    CHECK(head.value(field) == wants[i].value);
    CHECK(head.text(field.line, field.line_size) == wants[i].line);
    CHECK(field.id == wants[i].id);
    CHECK(field.invalid_name == wants[i].invalid);
  }
  CHECK(head.find(FieldId::cookie) == &head.fields[3]);
  CHECK(head.find("x-blank") == &head.fields[2]);
  CHECK(head.find(FieldId::date) == nullptr);
  CHECK(head.find("x-blan") == nullptr);
}

TEST_CASE("connection options, framing, expectation") {
  struct Options {
    std::string name;
    const char* version;
    std::string fields;
    bool keep_alive, upgrade, others, expect;
  };
  const Options table[] = {
      {"1.1", "1.1", "", true, false, false, false},
      {"1.1 close", "1.1", "Connection: Close\r\n", false, false, false, false},
      {"1.1 both", "1.1", "Connection: keep-alive, close\r\n", false, false, false, false},
      {"1.1 close in the second", "1.1", "Connection: x\r\nA: b\r\nConnection: , close ,\r\n",
       false, false, true, false},
      {"1.1 closed is not close", "1.1", "Connection: closed\r\n", true, false, true, false},
      {"1.0", "1.0", "", false, false, false, false},
      {"1.0 keep-alive", "1.0", "Connection: Keep-Alive\r\n", true, false, false, false},
      {"1.0 both", "1.0", "Connection: keep-alive\r\nConnection: close\r\n", false, false, false,
       false},
      {"upgrade", "1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\n", true, true, false, false},
      {"upgrade in a list", "1.1", "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n",
       true, true, false, false},
      {"upgrade not named", "1.1", "Upgrade: websocket\r\n", true, false, false, false},
      {"upgrade without field", "1.1", "Connection: upgrade\r\n", true, false, false, false},
      {"upgrade with empty field", "1.1", "Connection: upgrade\r\nUpgrade:\r\n", true, false, false,
       false},
      {"two upgrades", "1.1", "Connection: upgrade\r\nUpgrade: a\r\nUpgrade: b\r\n", true, false,
       false, false},
      {"names a field", "1.1", "Connection: X-Secret\r\n", true, false, true, false},
      {"expect in 1.1", "1.1", "Expect: 100-continue\r\n", true, false, false, true},
      {"expect in 1.0", "1.0", "Expect: 100-continue\r\n", false, false, false, false},
  };
  for (const Options& row : table) {
    CAPTURE(row.name);
    const Outcome outcome =
        parse_whole("GET / HTTP/"s + row.version + "\r\nHost: a\r\n" + row.fields + "\r\n");
    REQUIRE(outcome.result.status == ParseStatus::complete);
    CHECK(outcome.head.keep_alive == row.keep_alive);
    CHECK(outcome.head.upgrade == row.upgrade);
    CHECK(outcome.head.connection_names_fields == row.others);
    CHECK(outcome.head.expect_continue == row.expect);
    CHECK(outcome.head.framing.kind == Framing::Kind::none);
  }
  const Outcome counted = parse_whole(with("Content-Length: 9223372036854775807\r\n"));
  CHECK(counted.head.framing.kind == Framing::Kind::counted);
  CHECK(counted.head.framing.length == 9223372036854775807U);
  const Outcome chunked = parse_whole(with("Transfer-Encoding: Chunked\r\n"));
  CHECK(chunked.head.framing.kind == Framing::Kind::chunked);
}

TEST_CASE("methods") {
  struct Name {
    std::string text;
    Method method;
  };
  const Name names[] = {
      {"GET", Method::get},     {"HEAD", Method::head},         {"POST", Method::post},
      {"PUT", Method::put},     {"DELETE", Method::delete_},    {"OPTIONS", Method::options},
      {"PATCH", Method::patch}, {"PROPFIND", Method::propfind}, {"PROPPATCH", Method::proppatch},
      {"MKCOL", Method::mkcol}, {"COPY", Method::copy},         {"MOVE", Method::move},
      {"LOCK", Method::lock},   {"UNLOCK", Method::unlock},     {"GETS", Method::other},
      {"Get", Method::other}};
  for (const Name& name : names) {
    CAPTURE(name.text);
    const Outcome outcome = parse_whole(line(name.text + " / HTTP/1.1"));
    REQUIRE(outcome.result.status == ParseStatus::complete);
    CHECK(outcome.head.method == name.method);
    CHECK(outcome.head.method_text() == name.text);
  }
  CHECK(is_safe(Method::get));
  CHECK(is_safe(Method::propfind));
  CHECK_FALSE(is_safe(Method::put));
  CHECK_FALSE(is_safe(Method::other));
  CHECK(may_repeat(Method::put));
  CHECK(may_repeat(Method::other));
  CHECK_FALSE(may_repeat(Method::post));
  CHECK_FALSE(may_repeat(Method::lock));
  CHECK_FALSE(may_repeat(Method::patch));
}

TEST_CASE("limits") {
  Limits limits;
  limits.head = 200;
  limits.line = 100;
  limits.fields = 5;
  const std::string rest = " HTTP/1.1";
  const auto path = [&](std::size_t size) { return "GET /" + std::string(size - 14, 'x') + rest; };
  const std::string lines = "a: b\r\na: b\r\na: b\r\na: b\r\n";
  // Fills a head with two more lines to exactly `size` bytes.
  const auto head = [&](std::size_t size) {
    const std::string start = get + host;
    const std::size_t left = size - start.size() - 2;
    const std::size_t first = left / 2;
    return start + "X: " + std::string(first - 5, 'x') + "\r\n" +
           "X: " + std::string(left - first - 5, 'x') + "\r\n" + "\r\n";
  };
  const Row table[] = {
      {"request line at the limit", line(path(100)), ok},
      {"request line over the limit", line(path(101)), 414},
      {"request line without end", "GET /" + std::string(150, 'x'), 414},
      {"request line over the head", "GET /" + std::string(300, 'x'), 414},
      {"header line at the limit", with("X: " + std::string(97, 'x') + "\r\n"), ok},
      {"header line over the limit", with("X: " + std::string(98, 'x') + "\r\n"), 431},
      {"name over the limit", with(std::string(101, 'x') + ":\r\n"), 431},
      {"blanks over the limit", with("X: " + std::string(101, ' ') + "\r\n"), 431},
      {"head at the limit", head(200), ok},
      {"head over the limit", head(201), 431},
      {"fields at the limit", get + host + lines + "\r\n", ok},
      {"fields over the limit", get + host + lines + "a: b\r\n\r\n", 431},
  };
  for (const Row& row : table) {
    CAPTURE(row.name);
    const Outcome whole = parse_whole(row.bytes, limits);
    CAPTURE(std::string(whole.result.reason));
    const int got = whole.result.status == ParseStatus::complete ? ok : whole.result.http_status;
    CHECK(got == row.want);
    check_all_splits(row.bytes, limits, whole);
  }
}

TEST_CASE("what cannot become a request is refused before its head has ended") {
  struct Early {
    std::string name;
    std::string bytes;
    std::size_t by;  // bytes seen at the latest
  };
  const std::string tail = "\r\nHost: a\r\nAccept: */*\r\nUser-Agent: x\r\n\r\n";
  const Early table[] = {
      {"TLS", "\x16\x03\x01" + tail, 1},
      {"junk line", "hello world" + tail, 13},
      {"bare LF", "GET / HTTP/1.1\nHost: a\nAccept: */*\n\n", 15},
      {"TRACE", "TRACE / HTTP/1.1" + tail, 18},
      {"HTTP/2", "PRI * HTTP/2.0\r\n\r\n", 16},
      {"bare LF in the headers", get + "Host: a\nAccept: */*\n\n", 37},
  };
  for (const Early& row : table) {
    CAPTURE(row.name);
    Outcome outcome;
    parse(row.bytes, 1, 1, {}, outcome);
    CHECK(outcome.result.status == ParseStatus::error);
    CHECK(outcome.bytes_seen <= row.by);
  }
}

TEST_CASE("a head object is used again without remains or allocation") {
  RequestHead head;
  const std::string first =
      "POST http://b/x?y HTTP/1.1\r\nHost: a\r\nConnection: close, z, upgrade\r\n"
      "Upgrade: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
  ParseState state;
  REQUIRE(parse_request(first, {}, state, head).status == ParseStatus::complete);
  const auto capacity = head.fields.capacity();
  const Field* const data = head.fields.data();
  const std::string second = "GET /z HTTP/1.0\r\n\r\n";
  ParseState again;
  REQUIRE(parse_request(second, {}, again, head).status == ParseStatus::complete);
  CHECK(head.fields.capacity() == capacity);
  CHECK(head.fields.data() == data);
  CHECK(describe(head) == describe(parse_whole(second).head));
}

TEST_CASE("every byte at every place of a value, a target and a name") {
  for (std::size_t at = 0; at < 34; ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      CAPTURE(at);
      CAPTURE(byte);
      const char c = static_cast<char>(byte);
      std::string text(34, 'x');
      text[at] = c;
      const bool control = byte < 0x20 || byte == 0x7f;

      const auto value = parse_whole(with("X: " + text + "\r\n")).result.status;
      CHECK((value == ParseStatus::complete) == (!control || c == '\t'));

      const auto target = parse_whole(line("GET /" + text + " HTTP/1.1")).result.status;
      CHECK((target == ParseStatus::complete) == (!control && c != ' ' && c != '#'));

      const auto name = parse_whole(with(text + ": a\r\n"));
      const bool taken = !control && c != ' ' && !(c == ':' && at == 0);
      CHECK((name.result.status == ParseStatus::complete) == taken);
      if (!taken || c == ':') continue;
      // nginx takes no other token characters either.
      const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                         (byte >= 'A' && byte <= 'Z') || c == '-';
      CHECK(name.head.fields[1].invalid_name == !plain);
    }
  }
}

TEST_CASE("no more is asked for with as many bytes as a head may have") {
  Limits limits;
  limits.head = 200;
  const std::string bytes = get + host + "X: " + std::string(300, 'x');
  for (std::size_t first = 1; first < limits.head; ++first) {
    CAPTURE(first);
    ParseState state;
    RequestHead head;
    const std::string_view all(bytes);
    CHECK(parse_request(all.substr(0, first), limits, state, head).status ==
          ParseStatus::need_more);
    const auto result = parse_request(all.substr(0, limits.head), limits, state, head);
    CHECK(result.status == ParseStatus::error);
    CHECK(result.http_status == 431);
  }
}
