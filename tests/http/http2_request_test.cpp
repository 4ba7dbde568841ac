#include "http/http2_request.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "http/head.h"

using weir::http::Http2Request;
using Body = Http2Request::Body;
using Added = Http2Request::Added;

namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t kMost = 4096;

std::string written(const Fields& fields, Body body = Body::none) {
  Http2Request request;
  request.begin(kMost);
  for (const auto& [name, value] : fields) {
    if (request.add(name, value) != Added::ok) return "refused: " + name;
  }
  std::string out;
  request.write(body, "KEY", out);
  return out;
}

Fields get(Fields more) {
  Fields fields{{":method", "GET"}, {":scheme", "http"}, {":path", "/a?b"}, {":authority", "h"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

int parsed_status(const std::string& head) {
  weir::http::Limits limits;
  limits.head = kMost;
  limits.http2 = true;
  weir::http::ParseState state;
  weir::http::RequestHead request;
  const auto result = weir::http::parse_request(head, limits, state, request);
  return result.status == weir::http::ParseStatus::complete ? 200 : result.http_status;
}

}  // namespace

TEST_CASE("a request of HTTP/2 is written as the head of HTTP/1.1") {
  const std::string line = "GET /a?b HTTP/2.0\r\nHost: h\r\n";
  struct Row {
    const char* what;
    Fields more;
    Body body;
    std::string rest;  // behind the line and Host
  };
  const std::vector<Row> rows = {
      {"no more", {}, Body::none, ""},
      {"fields keep their order", {{"b", "1"}, {"a", "2"}}, Body::none, "b: 1\r\na: 2\r\n"},
      {"cookie crumbs are joined",
       {{"cookie", "a=1"}, {"x", "y"}, {"cookie", "b=2"}},
       Body::none,
       "x: y\r\ncookie: a=1; b=2\r\n"},
      {"the same host twice is one", {{"host", "h"}}, Body::none, ""},
      {"a body without a length is chunked", {}, Body::some, "Transfer-Encoding: chunked\r\n"},
      {"a body with a length is counted",
       {{"content-length", "3"}},
       Body::some,
       "content-length: 3\r\n"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    const auto head = written(get(row.more), row.body);
    CHECK(head == line + row.rest + "\r\n");
    CHECK(parsed_status(head) == 200);
  }
}

TEST_CASE("what makes a request of HTTP/2 ambiguous is refused, here or by the parser") {
  CHECK(written(get({{"connection", "close"}})) == "refused: connection");
  CHECK(written(get({{"transfer-encoding", "chunked"}})) == "refused: transfer-encoding");
  CHECK(written(get({{"upgrade", "x"}})) == "refused: upgrade");
  CHECK(written(get({{"X-Upper", "1"}})) == "refused: X-Upper");
  CHECK(written(get({{"a b", "1"}})) == "refused: a b");
  CHECK(written(get({{"a", "1\r\nb: 2"}})) == "refused: a");
  CHECK(written(get({{"a", "1\nb: 2"}})) == "refused: a");
  CHECK(written({{":method", "GET"}, {":path", "/\r\nX: y"}}) == "refused: :path");
  struct Row {
    const char* what;
    Fields fields;
    int status;
  };
  const std::vector<Row> rows = {
      {"another host", get({{"host", "other"}}), 400},
      {"two hosts", get({{"host", "h"}, {"host", "h"}}), 400},
      {"no host at all", {{":method", "GET"}, {":path", "/"}}, 400},
      {"a space in the path", {{":method", "GET"}, {":path", "/a b"}, {":authority", "h"}}, 400},
      {"a path behind the method",
       {{":method", "GET /x HTTP/2.0"}, {":path", "/"}, {":authority", "h"}},
       400},
      {"an empty path", {{":method", "GET"}, {":path", ""}, {":authority", "h"}}, 400},
      {"CONNECT", {{":method", "CONNECT"}, {":authority", "h:443"}}, 405},
      {"CONNECT for another protocol",
       {{":method", "CONNECT"}, {":protocol", "x"}, {":path", "/"}, {":authority", "h:443"}},
       405},
      {"TRACE", {{":method", "TRACE"}, {":path", "/"}, {":authority", "h"}}, 405},
      {"two lengths", get({{"content-length", "1"}, {"content-length", "2"}}), 400},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    CHECK(parsed_status(written(row.fields)) == row.status);
  }
}

TEST_CASE("a head that is too large never passes for a whole one") {
  for (const std::size_t size : {std::size_t{1}, std::size_t{100}, kMost}) {
    Http2Request request;
    request.begin(kMost);
    for (const auto& [name, value] : get({})) request.add(name, value);
    constexpr std::size_t kCost = 33;  // of a field besides its value: RFC 9113 section 6.5.2
    for (std::size_t sent = 0; sent <= 2 * kMost; sent += size + kCost) {
      CHECK(request.add("a", std::string(size, 'x')) == Added::ok);
    }
    std::string head;
    request.write(Body::none, "", head);
    CHECK(parsed_status(head) == 431);
  }
  Http2Request request;
  request.begin(kMost);
  auto added = Added::ok;
  for (int i = 0; i < 1000 && added == Added::ok; ++i) added = request.add("a", "b");
  CHECK(added == Added::flood);
}

TEST_CASE("a WebSocket of RFC 8441 becomes an upgrade") {
  const auto head = written({{":method", "CONNECT"},
                             {":protocol", "websocket"},
                             {":scheme", "https"},
                             {":path", "/ws"},
                             {":authority", "h"},
                             {"sec-websocket-version", "13"},
                             {"sec-websocket-key", "the client's"}},
                            Body::some);
  CHECK(head ==
        "GET /ws HTTP/2.0\r\nHost: h\r\nsec-websocket-version: 13\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Key: KEY\r\n\r\n");
  CHECK(parsed_status(head) == 200);
}

TEST_CASE("trailers pass but for those that would change the message") {
  std::string out;
  Http2Request::append_trailer("x-sum", "1", out);
  for (const auto* name :
       {"content-length", "host", "connection", ":path", "X", "transfer-encoding"}) {
    Http2Request::append_trailer(name, "1", out);
  }
  Http2Request::append_trailer("a", "1\r\nb: 2", out);
  CHECK(out == "x-sum: 1\r\n");
}

TEST_CASE("HTTP/2.0 is a version only where the head was made of HTTP/2") {
  weir::http::ParseState state;
  weir::http::RequestHead request;
  const auto result =
      weir::http::parse_request("GET / HTTP/2.0\r\nHost: a\r\n\r\n", {}, state, request);
  CHECK(result.http_status == 505);
  CHECK(parsed_status("GET / HTTP/1.1\r\nHost: a\r\n\r\n") == 505);
}
