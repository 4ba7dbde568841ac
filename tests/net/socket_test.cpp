#include "net/socket.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

using namespace weir;
using namespace weir::net;

namespace {

int option(int fd, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  REQUIRE(::getsockopt(fd, level, name, &value, &size) == 0);
  return value;
}

}  // namespace

TEST_CASE("listening sockets have the times of so_keepalive") {
  ListenOptions options;
  options.endpoint.ip = *IpAddress::parse("127.0.0.1", 0);
  std::string error;
  const auto plain = open_listener(options, false, error);
  REQUIRE(plain);
  CHECK(option(plain.get(), SOL_SOCKET, SO_KEEPALIVE) == 0);
  const int usual = option(plain.get(), IPPROTO_TCP, TCP_KEEPINTVL);
  options.so_keepalive = true;
  options.keepalive_idle = 77;
  options.keepalive_count = 5;
  const auto fd = open_listener(options, false, error);
  REQUIRE(fd);
  CHECK(option(fd.get(), SOL_SOCKET, SO_KEEPALIVE) == 1);
  CHECK(option(fd.get(), IPPROTO_TCP, TCP_KEEPIDLE) == 77);
  CHECK(option(fd.get(), IPPROTO_TCP, TCP_KEEPINTVL) == usual);
  CHECK(option(fd.get(), IPPROTO_TCP, TCP_KEEPCNT) == 5);
  // One that listens already gets them, too.
  options.keepalive_interval = usual + 1;
  set_listener(plain.get(), options);
  CHECK(option(plain.get(), SOL_SOCKET, SO_KEEPALIVE) == 1);
  CHECK(option(plain.get(), IPPROTO_TCP, TCP_KEEPINTVL) == usual + 1);
}
