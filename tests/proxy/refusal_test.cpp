#include "proxy/refusal.h"

#include <doctest/doctest.h>

#include <string>

namespace weir::proxy {
namespace {
using Kind = http::Framing::Kind;
}

TEST_CASE("answers that say the request was not executed") {
  const std::string maintaining =
      R"({"error":{"status":503,"maintaining":true,"message":"x","code":"APP_COMMANDING"}})";
  const std::string missing =
      R"({"error":{"status":404,"maintaining":true,"code":"APP_NOT_FOUND"}})";
  struct Row {
    int status;
    std::string body;
    Refusal refusal;
  };
  const Row rows[] = {
      {503, maintaining, Refusal::not_executed},
      {503, R"( { "error" : { "maintaining" : true } } )", Refusal::not_executed},
      {503, R"({"error":{"maintaining":false}})", Refusal::no},
      {503, R"({"error":{"maintaining":"true"}})", Refusal::no},
      {503, R"({"maintaining":true})", Refusal::no},
      {503, R"({"error":[]})", Refusal::no},
      {503, R"([])", Refusal::no},
      {503, "", Refusal::no},
      {503, "Service Unavailable", Refusal::no},
      {503, maintaining.substr(0, 40), Refusal::no},
      {503, missing, Refusal::not_executed},
      {404, missing, Refusal::not_executed},
      {404, maintaining, Refusal::no},
      {404, R"({"error":{"code":"NOT_FOUND"}})", Refusal::no},
      {500, maintaining, Refusal::no},
      {500,
       R"({"errors":[{"message":"ConnectionManager.getConnection was called after the )"
       R"(connection manager was closed!"}]})",
       Refusal::failed},
      {500, R"({"errors":[{"message":"Internal Server Error"}]})", Refusal::no},
      {200, maintaining, Refusal::no},
  };
  for (const Row& row : rows) {
    CAPTURE(row.status);
    CAPTURE(row.body);
    CHECK(find_refusal(row.status, {Kind::counted, row.body.size()}, row.body) == row.refusal);
    char size[32];
    std::snprintf(size, sizeof size, "%zx\r\n", row.body.size());
    std::string chunked = row.body.empty() ? "" : size + row.body + "\r\n";
    chunked += "0\r\n\r\n";
    CHECK(find_refusal(row.status, {Kind::chunked, 0}, chunked) == row.refusal);
  }
}

TEST_CASE("whether such a body is whole") {
  CHECK(is_whole({Kind::none, 0}, ""));
  CHECK(is_whole({Kind::counted, 3}, "abc"));
  CHECK(!is_whole({Kind::counted, 4}, "abc"));
  CHECK(is_whole({Kind::chunked, 0}, "3\r\nabc\r\n0\r\n\r\n"));
  CHECK(!is_whole({Kind::chunked, 0}, "3\r\nabc\r\n0\r\n"));
  CHECK(!is_whole({Kind::until_close, 0}, "abc"));
}

}  // namespace weir::proxy
