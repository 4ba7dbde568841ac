#include "base/syslog.h"

#include <sys/socket.h>

#include <array>
#include <cstring>
#include <ctime>

namespace weir {
namespace {

constexpr std::size_t kMaxMessage = 2048;

std::string host_name() {
  std::array<char, 256> text{};
  ::gethostname(text.data(), text.size() - 1);
  return text.data();
}

}  // namespace

SyslogSender::SyslogSender(SyslogTarget target) : target_(std::move(target)) { open(); }

bool SyslogSender::open() {
  const auto& server = target_.server;
  const int family = server.is_unix() ? AF_UNIX : server.ip.family();
  UniqueFd fd(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return false;
  int status = 0;
  if (server.is_unix()) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (server.unix_path.size() >= sizeof address.sun_path) return false;
    std::memcpy(address.sun_path, server.unix_path.data(), server.unix_path.size());
    status = ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  } else {
    status = ::connect(fd.get(), server.ip.data(), server.ip.size());
  }
  if (status != 0) return false;
  socket_ = std::move(fd);
  return true;
}

bool SyslogSender::send(unsigned severity, std::string_view text) {
  if (!socket_ && !open()) return false;
  static const std::string host = host_name();
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  std::array<char, 32> time{};
  const auto size = std::strftime(time.data(), time.size(), "%b %e %H:%M:%S", &local);
  std::string message = "<" + std::to_string(target_.facility * 8U + severity) + ">";
  message.append(time.data(), size).append(" ");
  if (target_.hostname) message.append(host).append(" ");
  message.append(target_.tag).append(": ").append(text);
  if (message.size() > kMaxMessage) message.resize(kMaxMessage);
  if (::send(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL) >= 0) return true;
  // The server may be another one by now, or back at its place.
  socket_.reset();
  return open() && ::send(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL) >= 0;
}

}  // namespace weir
