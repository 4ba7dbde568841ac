#include "main/listeners.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

using namespace weir;
using namespace weir::main;

namespace {

Listeners::Wanted want(const std::string& host, std::uint16_t port, std::uint32_t sockets = 1) {
  Listeners::Wanted wanted;
  wanted.listen.endpoint.ip = *IpAddress::parse(host, port);
  wanted.listen.text = wanted.listen.endpoint.text();
  wanted.sockets = sockets;
  return wanted;
}

std::uint16_t free_port() {
  std::string error;
  net::ListenOptions options;
  options.endpoint.ip = *IpAddress::parse("127.0.0.1", 0);
  const auto fd = net::open_listener(options, false, error);
  return net::local_address(fd.get()).port();
}

bool serve(Listeners& listeners, const std::vector<Listeners::Wanted>& wanted) {
  std::string error;
  auto groups = listeners.prepare(wanted, Duration{0}, error);
  INFO(error);
  if (!error.empty()) return false;
  listeners.commit(std::move(groups));
  return true;
}

std::vector<std::uint64_t> ids(const ListenGroup& group) {
  std::vector<std::uint64_t> out;
  for (const auto& socket : group.sockets) out.push_back(socket.id);
  return out;
}

// Whether a connection to 127.0.0.1 is let in, and by one of `group`.
bool lands_in(const ListenGroup& group, std::uint16_t port) {
  Endpoint to;
  to.ip = *IpAddress::parse("127.0.0.1", port);
  const UniqueFd client(net::begin_connect(to));
  std::vector<pollfd> waits;
  for (const auto& socket : group.sockets) waits.push_back({socket.fd->get(), POLLIN, 0});
  for (const auto& covered : group.covered) {
    for (const auto& socket : covered.sockets) waits.push_back({socket.fd->get(), POLLIN, 0});
  }
  if (::poll(waits.data(), waits.size(), 1000) <= 0) return false;
  for (const auto& wait : waits) {
    if (wait.revents != 0) ::close(::accept4(wait.fd, nullptr, nullptr, SOCK_CLOEXEC));
  }
  return true;
}

}  // namespace

TEST_CASE("an address has a socket for each worker, and keeps them while it is listened on") {
  Listeners listeners;
  const auto port = free_port();
  REQUIRE(serve(listeners, {want("127.0.0.1", port, 3)}));
  CHECK(ids(listeners.groups().front()) == std::vector<std::uint64_t>{1, 2, 3});
  REQUIRE(serve(listeners, {want("127.0.0.1", port, 1)}));
  CHECK(ids(listeners.groups().front()) == std::vector<std::uint64_t>{1, 2, 3});
  REQUIRE(serve(listeners, {want("127.0.0.1", port, 5)}));
  CHECK(ids(listeners.groups().front()) == std::vector<std::uint64_t>{1, 2, 3, 4, 5});
}

TEST_CASE("an address of somebody else is an error, and nothing changes") {
  Listeners other;
  Listeners listeners;
  const auto port = free_port();
  const auto taken = free_port();
  REQUIRE(serve(other, {want("127.0.0.1", taken, 2)}));
  REQUIRE(serve(listeners, {want("127.0.0.1", port)}));
  std::string error;
  CHECK(listeners.prepare({want("127.0.0.1", taken), want("127.0.0.1", port)}, Duration{0}, error)
            .empty());
  CHECK(error.find("bind() to 127.0.0.1:" + std::to_string(taken) + " failed (98: ") !=
        std::string::npos);
  CHECK(listeners.prepare({want("0.0.0.0", taken)}, Duration{0}, error).empty());
  CHECK(lands_in(listeners.groups().front(), port));
}

TEST_CASE("an address may become wider or narrower") {
  Listeners listeners;
  const auto port = free_port();
  REQUIRE(serve(listeners, {want("0.0.0.0", port, 2)}));
  CHECK(lands_in(listeners.groups().front(), port));
  REQUIRE(serve(listeners, {want("127.0.0.1", port, 2)}));
  CHECK(lands_in(listeners.groups().front(), port));
  const auto narrow = ids(listeners.groups().front());
  REQUIRE(serve(listeners, {want("0.0.0.0", port, 2)}));
  CHECK(lands_in(listeners.groups().front(), port));
  // What listens for the narrower one is kept: it may be about to let somebody in.
  REQUIRE(listeners.groups().front().covered.size() == 1);
  CHECK(ids(listeners.groups().front().covered.front()) == narrow);
  REQUIRE(serve(listeners, {want("0.0.0.0", port), want("127.0.0.1", port)}));
  CHECK(lands_in(listeners.groups().back(), port));
  CHECK(ids(listeners.groups().back()) == narrow);
  CHECK(listeners.groups().front().covered.empty());
  REQUIRE(serve(listeners, {want("127.0.0.1", port)}));
  CHECK(ids(listeners.groups().front()) == narrow);
}

TEST_CASE("the narrower address beside the wider one at the start") {
  Listeners listeners;
  const auto port = free_port();
  REQUIRE(serve(listeners, {want("127.0.0.1", port), want("0.0.0.0", port)}));
  CHECK(lands_in(listeners.groups().front(), port));
}

TEST_CASE("an inherited socket is taken for its address and may get siblings") {
  const auto port = free_port();
  std::string error;
  net::ListenOptions options;
  options.endpoint.ip = *IpAddress::parse("127.0.0.1", port);
  std::vector<UniqueFd> fds;
  fds.push_back(net::open_listener(options, false, error));
  fds.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int number = fds.front().get();
  const int off = 0;  // as nginx passes them on
  ::setsockopt(number, SOL_SOCKET, SO_REUSEPORT, &off, sizeof off);

  Listeners listeners;
  listeners.inherit(std::move(fds), false);
  REQUIRE(serve(listeners, {want("127.0.0.1", port, 2)}));
  const auto& group = listeners.groups().front();
  CHECK(group.inherited);
  CHECK(group.sockets.size() == 2);
  CHECK(group.sockets.front().fd->get() == number);
  CHECK(listeners.drop_unused().empty());
}

TEST_CASE("an inherited socket that nobody asks for is named and closed") {
  const auto port = free_port();
  Listeners first;
  REQUIRE(serve(first, {want("127.0.0.1", port)}));
  std::vector<UniqueFd> fds;
  fds.push_back(first.groups().front().sockets.front().fd->duplicate());
  Listeners listeners;
  listeners.inherit(std::move(fds), false);
  CHECK(listeners.drop_unused() == std::vector{"127.0.0.1:" + std::to_string(port)});
}

TEST_CASE("the file of a unix socket goes with it, unless another program has the socket") {
  char directory[] = "/tmp/weir-listen-XXXXXX";
  REQUIRE(::mkdtemp(directory) != nullptr);
  Listeners::Wanted wanted;
  wanted.listen.endpoint.unix_path = std::string(directory) + "/s";
  wanted.listen.text = wanted.listen.endpoint.text();
  wanted.sockets = 4;
  const auto exists = [&] { return ::access(wanted.listen.endpoint.unix_path.c_str(), F_OK) == 0; };
  Listeners listeners;
  REQUIRE(serve(listeners, {wanted}));
  CHECK(listeners.groups().front().sockets.size() == 1);
  CHECK(exists());
  REQUIRE(serve(listeners, {}));
  CHECK_FALSE(exists());
  REQUIRE(serve(listeners, {wanted}));
  listeners.close(true);
  CHECK(exists());
  REQUIRE(serve(listeners, {wanted}));  // left over: nobody listens on it
  listeners.close(false);
  CHECK_FALSE(exists());
  ::rmdir(directory);
}
