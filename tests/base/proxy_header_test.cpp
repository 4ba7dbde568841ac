#include "base/proxy_header.h"

#include <doctest/doctest.h>

#include <string_view>

namespace weir {
namespace {

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);

IpAddress at(const char* text, std::uint16_t port) { return *IpAddress::parse(text, port); }

std::string binary(std::string_view rest) { return std::string(kSignature).append(rest); }

TEST_CASE("version 1 is a line") {
  const struct {
    const char *client, *server, *line;
  } rows[] = {
      {"10.0.0.1", "10.0.0.2", "PROXY TCP4 10.0.0.1 10.0.0.2 1234 80\r\n"},
      {"2001:db8::1", "::1", "PROXY TCP6 2001:db8::1 ::1 1234 80\r\n"},
      {"10.0.0.1", "::1", "PROXY TCP6 ::ffff:10.0.0.1 ::1 1234 80\r\n"},
  };
  for (const auto& row : rows) {
    CHECK(proxy_header(ProxyProtocol::v1, at(row.client, 1234), at(row.server, 80)) == row.line);
  }
}

TEST_CASE("version 2 is binary") {
  using namespace std::string_view_literals;
  CHECK(proxy_header(ProxyProtocol::v2, at("10.0.0.1", 0x1234), at("10.0.0.2", 80)) ==
        binary("\x21\x11\0\x0c\x0a\0\0\x01\x0a\0\0\x02\x12\x34\0\x50"sv));
  CHECK(
      proxy_header(ProxyProtocol::v2, at("::1", 0x1234), at("10.0.0.2", 80)) ==
      binary("\x21\x21\0\x24\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0"
             "\x02\x12\x34\0\x50"sv));
}

TEST_CASE("who has no IP address is unknown, and weir speaks for itself") {
  using namespace std::string_view_literals;
  const IpAddress none;
  CHECK(proxy_header(ProxyProtocol::v1, none, at("::1", 80)) == "PROXY UNKNOWN\r\n");
  CHECK(proxy_header(ProxyProtocol::v2, at("::1", 80), none) == binary("\x21\0\0\0"sv));
  CHECK(local_proxy_header(ProxyProtocol::v1) == "PROXY UNKNOWN\r\n");
  CHECK(local_proxy_header(ProxyProtocol::v2) == binary("\x20\0\0\0"sv));
}

TEST_CASE("without a version there is no header") {
  CHECK(proxy_header(ProxyProtocol::off, at("::1", 1), at("::1", 2)).empty());
  CHECK(local_proxy_header(ProxyProtocol::off).empty());
}

}  // namespace
}  // namespace weir
