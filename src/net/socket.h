// Opening sockets: listening ones with nginx's options, and connections to peers. Control thread
// for listening, any worker for connecting.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"
#include "base/error.h"
#include "base/unique_fd.h"

namespace weir::net {

// Texts of addresses for datagrams begin with it.
inline constexpr std::string_view kUdpMark = "udp:";

struct ListenOptions {
  Endpoint endpoint;
  bool udp = false;  // datagrams: there is nothing to accept
  int backlog = 511;
  bool ipv6only = true;
  int rcvbuf = 0, sndbuf = 0;  // 0: the system's own
  bool so_keepalive = false;
  // Seconds before the first probe, seconds between them, their number; 0: the system's own.
  int keepalive_idle = 0, keepalive_interval = 0, keepalive_count = 0;
  bool deferred = false;
  int fastopen = 0;
  unsigned mode = 0666;  // of the file of a Unix socket
};

// One of the sockets that listen on an address.
struct ListenSocket {
  std::string text;      // of the address that it stands for: Endpoint::text()
  std::uint64_t id = 0;  // of the socket; its duplicates have the same
  UniqueFd fd;
  bool exclusive = true;  // no other program has it
};

// A bound and listening socket. Empty: `error` says why ("bind() to 0.0.0.0:80 failed (98: Address
// already in use)"), errno too. `share`: another socket of this process listens on the address, or
// on one that covers it or is covered by it.
[[nodiscard]] UniqueFd open_listener(const ListenOptions& options, bool share, std::string& error);
// Whether the address could be listened on, as far as that can be told beside whoever listens on
// it now; else as above.
[[nodiscard]] bool can_listen(const ListenOptions& options, std::string& error);
// Gives a socket that listens already (inherited, or of an earlier configuration) the options.
void set_listener(int fd, const ListenOptions& options);
// What an inherited descriptor listens on; nullopt if it neither listens nor takes datagrams of IP.
[[nodiscard]] std::optional<Endpoint> listening_on(int fd);
// Whether it is for datagrams.
[[nodiscard]] bool is_datagram(int fd);
// Connections that are not in the socket's queue yet are not let into it any more: their packets
// are dropped, so that they are tried again (after a second) and find another socket.
void refuse_new(int fd);
// Nothing listens any more, whoever has a descriptor of the socket.
void stop_listening(int fd);
// "(98: Address already in use)".
[[nodiscard]] std::string errno_text(int error);

struct ConnectOptions {
  std::optional<IpAddress> local;  // to connect from; without a port: any
  bool transparent = false;        // `local` need not be an address of this machine
  bool keepalive = false;          // TCP's own
};
// Begins a non-blocking connection; its end is told by writability. -1: errno says why.
[[nodiscard]] int begin_connect(const Endpoint& to, const ConnectOptions& options = {});
// What an errno of begin_connect() means; ECANCELED: the wait for a descriptor was.
[[nodiscard]] Error connect_failure(int why);
// A non-blocking datagram socket connected to `to`, from a port that the kernel draws: it takes
// nothing from anybody else. -1: errno says why.
[[nodiscard]] int open_datagram(const IpAddress& to, const ConnectOptions& options = {});
// How the connection ended: 0 or an errno.
[[nodiscard]] int connect_result(int fd);
// The local address of a connection.
[[nodiscard]] IpAddress local_address(int fd);

}  // namespace weir::net
