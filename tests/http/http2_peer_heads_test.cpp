#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "http/http2_from_peer.h"
#include "http/http2_to_peer.h"

using weir::http::Http2FromPeer;
using weir::http::Http2ToPeer;

namespace {

std::string shown(const Http2ToPeer& head) {
  std::string text;
  for (const auto& field : head.fields()) {
    text.append(field.name).append("=").append(field.value).append(";");
  }
  return text;
}

using Fields = std::vector<std::pair<std::string_view, std::string_view>>;

std::string head_of(const Fields& fields, const Http2FromPeer::Rest& rest,
                    Http2FromPeer::Body want) {
  Http2FromPeer answer;
  answer.begin(1000, false);
  for (const auto& [name, value] : fields) {
    if (answer.add(name, value) != Http2FromPeer::Added::ok) return "refused " + std::string(name);
  }
  std::string out;
  CHECK(answer.write(rest, out) == want);
  return out;
}

}  // namespace

TEST_CASE("a request's head of HTTP/1.1 becomes fields for a peer of HTTP/2") {
  Http2ToPeer head;
  REQUIRE(
      head.read("POST /a?b HTTP/1.1\r\nX-A:  b \r\nHost: h:1\r\nConnection: close\r\n"
                "TE: trailers\r\nUpgrade: x\r\nContent-Length: 5\r\n\r\n",
                false));
  CHECK(shown(head) ==
        ":method=POST;:scheme=http;:path=/a?b;:authority=h:1;x-a=b;te=trailers;content-length=5;");
  CHECK(head.body() == Http2ToPeer::Body::counted);
  CHECK(head.length() == 5);
  CHECK_FALSE(head.is_head());
  REQUIRE(head.read("HEAD / HTTP/1.1\r\nTE: gzip\r\nTransfer-Encoding: chunked\r\n\r\n", true));
  CHECK(shown(head) == ":method=HEAD;:scheme=https;:path=/;");
  CHECK(head.body() == Http2ToPeer::Body::chunked);
  CHECK(head.is_head());
  REQUIRE(head.read("GET / HTTP/1.1\r\nTE: gzip;q=0.5, Trailers\r\n\r\n", true));
  CHECK(shown(head) == ":method=GET;:scheme=https;:path=/;te=trailers;");
  REQUIRE(head.read("PUT / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", true));
  CHECK(head.body() == Http2ToPeer::Body::none);
  head.read_trailers("X-Sum: 1\r\nConnection: x\r\n");
  CHECK(shown(head) == "x-sum=1;");
  CHECK_FALSE(head.read("GET / HTTP/1.1\r\nno colon\r\n\r\n", false));
  CHECK_FALSE(head.read("GET\r\n\r\n", false));
}

TEST_CASE("an answer of HTTP/2 becomes a head of HTTP/1.1") {
  using Body = Http2FromPeer::Body;
  const Fields plain = {{":status", "200"}, {"x", "1"}};
  const Fields counted = {{":status", "200"}, {"content-length", "7"}};
  const Fields grpc = {
      {":status", "200"}, {"content-type", "application/grpc+proto"}, {"content-length", "7"}};
  CHECK(head_of(plain, {}, Body::chunked) ==
        "HTTP/1.1 200 OK\r\nx: 1\r\ntransfer-encoding: chunked\r\n\r\n");
  CHECK(head_of(plain, {.ends = true}, Body::none) ==
        "HTTP/1.1 200 OK\r\nx: 1\r\ncontent-length: 0\r\n\r\n");
  CHECK(head_of(plain, {.to_head = true}, Body::none) == "HTTP/1.1 200 OK\r\nx: 1\r\n\r\n");
  CHECK(head_of(counted, {.to_head = true, .ends = true}, Body::none) ==
        "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n");
  CHECK(head_of(counted, {.trailers = true}, Body::counted) ==
        "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n");
  // The status of the call comes behind the body.
  CHECK(head_of(grpc, {.trailers = true}, Body::chunked) ==
        "HTTP/1.1 200 OK\r\ncontent-type: application/grpc+proto\r\n"
        "transfer-encoding: chunked\r\n\r\n");
  CHECK(head_of({{":status", "204"}, {"content-length", "0"}}, {.ends = true}, Body::none) ==
        "HTTP/1.1 204 No Content\r\n\r\n");
  CHECK(head_of({{":status", "103"}, {"link", "x"}}, {}, Body::none) ==
        "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n");
  CHECK(head_of({{":status", "101"}}, {}, Body::none) == "refused :status");
  CHECK(head_of({{":status", "20"}}, {}, Body::none) == "refused :status");
  CHECK(head_of({{"upgrade", "x"}}, {}, Body::none) == "refused upgrade");
  CHECK(head_of({{"a", "b\r\nc"}}, {}, Body::none) == "refused a");
  CHECK(head_of({{"A", "b"}}, {}, Body::none) == "refused A");
  CHECK(head_of({{"a", std::string_view("\0", 1)}}, {}, Body::none) == "refused a");
}

TEST_CASE("fields of an answer are limited, trailers by themselves") {
  Http2FromPeer answer;
  answer.begin(100, false);
  CHECK(answer.add(":status", "200") == Http2FromPeer::Added::ok);
  CHECK(answer.add("a", std::string(60, 'x')) == Http2FromPeer::Added::too_large);
  answer.begin(100, true);
  CHECK(answer.add("grpc-status", "0") == Http2FromPeer::Added::ok);
  CHECK(answer.add("content-length", "0") == Http2FromPeer::Added::ok);
  CHECK(answer.trailers() == "grpc-status: 0\r\n");
}
