// Opening sockets: listening ones with nginx's options, and connections to peers. Control thread
// for listening, any worker for connecting.
#pragma once

#include <string>

#include "base/address.h"

namespace weir::net {

struct ListenOptions {
  Endpoint endpoint;
  int backlog = 511;
  bool ipv6only = true;
  int rcvbuf = 0, sndbuf = 0;  // 0: the system's own
  bool so_keepalive = false;
  bool deferred = false;
  int fastopen = 0;
};

// A bound and listening socket, or -1 and `error` says why: "bind() to 0.0.0.0:80 failed: Address
// already in use". `share`: another socket of this process listens on the same address already.
[[nodiscard]] int open_listener(const ListenOptions& options, bool share, std::string& error);

// Begins a non-blocking connection; its end is told by writability. -1: errno says why.
[[nodiscard]] int begin_connect(const Endpoint& to);
// How the connection ended: 0 or an errno.
[[nodiscard]] int connect_result(int fd);
// The local address of a connection.
[[nodiscard]] IpAddress local_address(int fd);

}  // namespace weir::net
