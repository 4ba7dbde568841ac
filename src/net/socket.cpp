#include "net/socket.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

namespace weir::net {
namespace {

struct RawAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

bool to_raw(const Endpoint& endpoint, RawAddress& out) {
  if (!endpoint.is_unix()) {
    std::memcpy(&out.storage, endpoint.ip.data(), endpoint.ip.size());
    out.size = endpoint.ip.size();
    return true;
  }
  auto& address = reinterpret_cast<sockaddr_un&>(out.storage);
  if (endpoint.unix_path.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return false;
  }
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, endpoint.unix_path.data(), endpoint.unix_path.size());
  out.size = sizeof(sockaddr_un);
  return true;
}

void set(int fd, int level, int option, int value) {
  ::setsockopt(fd, level, option, &value, sizeof value);
}

// A socket file that nobody listens on is left from a process that died.
void remove_stale_socket(const Endpoint& endpoint, const RawAddress& raw) {
  struct stat info {};
  if (::lstat(endpoint.unix_path.c_str(), &info) != 0 || !S_ISSOCK(info.st_mode)) return;
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0) return;
  if (::connect(probe, raw.get(), raw.size) != 0 && errno == ECONNREFUSED) {
    ::unlink(endpoint.unix_path.c_str());
  }
  ::close(probe);
}

// An answer has to come from the address that was asked.
void tell_local_address(int fd, const IpAddress& address) {
  if (!address.is_wildcard()) return;
  if (address.is_v6()) set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  set(fd, IPPROTO_IP, IP_PKTINFO, 1);
}

void set_keepalive_times(int fd, const ListenOptions& options) {
  if (options.keepalive_idle > 0) set(fd, IPPROTO_TCP, TCP_KEEPIDLE, options.keepalive_idle);
  if (options.keepalive_interval > 0)
    set(fd, IPPROTO_TCP, TCP_KEEPINTVL, options.keepalive_interval);
  if (options.keepalive_count > 0) set(fd, IPPROTO_TCP, TCP_KEEPCNT, options.keepalive_count);
}

void set_options(int fd, const ListenOptions& options) {
  // For datagrams it would let anybody in.
  if (!options.udp) set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (options.rcvbuf > 0) set(fd, SOL_SOCKET, SO_RCVBUF, options.rcvbuf);
  if (options.sndbuf > 0) set(fd, SOL_SOCKET, SO_SNDBUF, options.sndbuf);
  if (options.so_keepalive) set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  if (options.endpoint.is_unix()) return;
  if (options.endpoint.ip.is_v6()) set(fd, IPPROTO_IPV6, IPV6_V6ONLY, options.ipv6only ? 1 : 0);
  if (options.udp) return tell_local_address(fd, options.endpoint.ip);
  // Accepted sockets inherit it: no system call for each connection.
  set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (options.so_keepalive) set_keepalive_times(fd, options);
  if (options.deferred) set(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1);
  if (options.fastopen > 0) set(fd, IPPROTO_TCP, TCP_FASTOPEN, options.fastopen);
}

int type_of(const ListenOptions& options) { return options.udp ? SOCK_DGRAM : SOCK_STREAM; }

}  // namespace

UniqueFd open_listener(const ListenOptions& options, bool share, std::string& error) {
  const auto fail = [&](const char* call) {
    const int reason = errno;
    error = std::string(call) + " to " + options.endpoint.text() + " failed " + errno_text(reason);
    errno = reason;
    return UniqueFd();
  };
  RawAddress raw;
  if (!to_raw(options.endpoint, raw)) return fail("bind()");
  UniqueFd fd(::socket(raw.get()->sa_family, type_of(options) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fail("socket()");
  set_options(fd.get(), options);
  const bool is_unix = options.endpoint.is_unix();
  if (is_unix) remove_stale_socket(options.endpoint, raw);
  // The first socket of an address binds alone, so that an address in use by anybody else, another
  // weir included, is an error; only then does it let its siblings in.
  if (share && !is_unix) set(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1);
  if (::bind(fd.get(), raw.get(), raw.size) != 0) return fail("bind()");
  if (!share && !is_unix) set(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1);
  if (is_unix) ::chmod(options.endpoint.unix_path.c_str(), options.mode);
  if (!options.udp && ::listen(fd.get(), options.backlog) != 0) return fail("listen()");
  return fd;
}

bool can_listen(const ListenOptions& options, std::string& error) {
  // A Unix path cannot be tried without making the file.
  if (options.endpoint.is_unix()) return true;
  RawAddress raw;
  to_raw(options.endpoint, raw);
  const UniqueFd fd(::socket(raw.get()->sa_family, type_of(options) | SOCK_CLOEXEC, 0));
  if (fd) {
    set_options(fd.get(), options);
    if (::bind(fd.get(), raw.get(), raw.size) == 0 || errno == EADDRINUSE) return true;
  }
  const int reason = errno;
  error = "bind() to " + options.endpoint.text() + " failed " + errno_text(reason);
  errno = reason;
  return false;
}

void set_listener(int fd, const ListenOptions& options) {
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  set_options(fd, options);
  if (!options.endpoint.is_unix()) set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (!options.udp) ::listen(fd, options.backlog);
}

bool is_datagram(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_DGRAM;
}

std::optional<Endpoint> listening_on(int fd) {
  int listens = 0;
  socklen_t size = sizeof listens;
  const bool udp = is_datagram(fd);
  if (!udp && (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0)) {
    return std::nullopt;
  }
  RawAddress raw;
  raw.size = sizeof raw.storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&raw.storage), &raw.size) != 0) {
    return std::nullopt;
  }
  Endpoint endpoint;
  if (udp && raw.get()->sa_family == AF_UNIX) return std::nullopt;
  if (raw.get()->sa_family == AF_UNIX) {
    const auto& address = reinterpret_cast<const sockaddr_un&>(raw.storage);
    const auto room = raw.size - offsetof(sockaddr_un, sun_path);
    endpoint.unix_path.assign(address.sun_path, ::strnlen(address.sun_path, room));
    if (endpoint.unix_path.empty()) return std::nullopt;
  } else {
    endpoint.ip = IpAddress(raw.get());
  }
  return endpoint;
}

void refuse_new(int fd) {
  sock_filter drop{};
  drop.code = BPF_RET | BPF_K;
  drop.k = 0;  // bytes of a packet to let through
  const sock_fprog program{1, &drop};
  ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

void stop_listening(int fd) { ::shutdown(fd, SHUT_RDWR); }

std::string errno_text(int error) {
  return "(" + std::to_string(error) + ": " + std::strerror(error) + ")";
}

namespace {

bool bind_local(int fd, const ConnectOptions& options) {
  const auto& local = *options.local;
  if (options.transparent) {
    const bool v6 = local.is_v6();
    const int on = 1;
    if (::setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TRANSPARENT : IP_TRANSPARENT,
                     &on, sizeof on) != 0) {
      return false;
    }
  }
  // The port is chosen at connect(): else the ports of one address would soon be used up.
  if (local.port() == 0) set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  return ::bind(fd, local.data(), local.size()) == 0;
}

}  // namespace

int begin_connect(const Endpoint& to, const ConnectOptions& options) {
  RawAddress raw;
  if (!to_raw(to, raw)) return -1;
  const int fd = ::socket(raw.get()->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  if (!to.is_unix()) set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (options.keepalive) set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  if (options.local && !to.is_unix() && !bind_local(fd, options)) {
    const int saved = errno;
    ::close(fd);
    errno = saved;
    return -1;
  }
  if (::connect(fd, raw.get(), raw.size) == 0 || errno == EINPROGRESS) return fd;
  const int saved = errno;
  ::close(fd);
  errno = saved;
  return -1;
}

Error connect_failure(int why) {
  const bool lacking = why == EMFILE || why == ENFILE || why == ENOBUFS || why == ENOMEM;
  if (why == ECANCELED) return {Errc::shutting_down, 0};
  return {lacking ? Errc::local_resources : Errc::connect_failed, why};
}

int open_datagram(const IpAddress& to, const ConnectOptions& options) {
  const int fd = ::socket(to.family(), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  const bool bound = !options.local || bind_local(fd, options);
  if (bound && ::connect(fd, to.data(), to.size()) == 0) return fd;
  const int saved = errno;
  ::close(fd);
  errno = saved;
  return -1;
}

int connect_result(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

IpAddress local_address(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
  return IpAddress(reinterpret_cast<const sockaddr*>(&storage)).unmapped();
}

}  // namespace weir::net
