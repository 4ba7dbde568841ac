#include "http/http2_answer.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using weir::http::Http2Answer;

namespace {

std::string shown(const Http2Answer& answer) {
  std::string text;
  for (const auto& field : answer.fields()) {
    text.append(field.name).append("=").append(field.value).append(";");
  }
  return text;
}

std::string read(std::string_view head, bool websocket = false) {
  Http2Answer answer;
  answer.read(head, websocket);
  return shown(answer);
}

}  // namespace

TEST_CASE("a head of HTTP/1.1 becomes fields of HTTP/2") {
  struct Row {
    const char* what;
    std::string_view head;
    const char* fields;
  };
  const std::vector<Row> rows = {
      {"names in lower case", "HTTP/1.1 200 OK\r\nServer: weir\r\nX-A: B c\r\n\r\n",
       ":status=200;server=weir;x-a=B c;"},
      {"nothing about the connection",
       "HTTP/1.1 404 Not Found\r\nConnection: keep-alive\r\nKeep-Alive: timeout=3\r\n"
       "Transfer-Encoding: chunked\r\nUpgrade: x\r\nA: 1\r\n\r\n",
       ":status=404;a=1;"},
      {"no reason", "HTTP/1.1 204\r\nA: 1\r\n\r\n", ":status=204;a=1;"},
      {"an empty value, and blanks", "HTTP/1.1 103 Early Hints\r\nA:\r\nB:  x \r\n\r\n",
       ":status=103;a=;b=x;"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    CHECK(read(row.head) == row.fields);
  }
}

TEST_CASE("Content-Length of an answer is told") {
  Http2Answer answer;
  answer.read("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n", false);
  CHECK(answer.length() == 12u);
  CHECK(answer.status() == 200);
  answer.read("HTTP/1.1 200 OK\r\n\r\n", false);
  CHECK_FALSE(answer.length().has_value());
}

TEST_CASE("a 101 opens a WebSocket by 200") {
  CHECK(read("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
             "Sec-WebSocket-Accept: x\r\nSec-WebSocket-Protocol: p\r\n\r\n",
             true) == ":status=200;sec-websocket-protocol=p;");
  CHECK(read("HTTP/1.1 403 Forbidden\r\n\r\n", true) == ":status=403;");
}

TEST_CASE("trailers become fields") {
  Http2Answer answer;
  answer.read_trailers("Grpc-Status: 0\r\nX: y\r\n");
  CHECK(shown(answer) == "grpc-status=0;x=y;");
  answer.read_trailers("");
  CHECK(answer.fields().empty());
}
