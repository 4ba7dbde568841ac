#include "main/control_client.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "base/unique_fd.h"
#include "config/units.h"
#include "net/socket.h"

namespace weir::main {
namespace {

constexpr timeval kPatience{30, 0};

std::string cannot_connect(const std::string& path) {
  const int error = errno;
  std::string why = "connect() to \"" + path + "\" failed " + net::errno_text(error);
  if (error == ENOENT || error == ECONNREFUSED) {
    return "no weir runs here: " + why + "; start it, or name its configuration by -c";
  }
  if (error == EACCES || error == EPERM) {
    return why + "; only root and the account that weir was started by may";
  }
  return why;
}

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

// To the end, which is the end of the answer.
bool receive_all(int fd, std::string& out) {
  std::array<char, 16384> bytes;
  for (;;) {
    const auto n = ::recv(fd, bytes.data(), bytes.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n == 0;
    out.append(bytes.data(), static_cast<std::size_t>(n));
  }
}

}  // namespace

std::string ControlClient::ask(const std::string& method, const std::string& target,
                               Reply& out) const {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path_.size() >= sizeof address.sun_path) return "the path \"" + path_ + "\" is too long";
  std::memcpy(address.sun_path, path_.data(), path_.size());
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd ||
      ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return cannot_connect(path_);
  }
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  const auto request =
      method + " " + target + " HTTP/1.1\r\nHost: weir\r\nConnection: close\r\n\r\n";
  std::string bytes;
  if (!send_all(fd.get(), request) || !receive_all(fd.get(), bytes)) {
    return "weir does not answer " + net::errno_text(errno);
  }
  const auto end = bytes.find("\r\n\r\n");
  constexpr std::string_view version = "HTTP/1.1 ";
  const auto status = bytes.starts_with(version)
                          ? config::parse_number(std::string_view(bytes).substr(version.size(), 3))
                          : std::nullopt;
  if (end == std::string::npos || !status) return "weir has ended before it answered";
  out.status = static_cast<int>(*status);
  out.body = bytes.substr(end + 4);
  return {};
}

std::string query_escape(const std::string& text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  constexpr std::string_view plain = "-._~/:";
  std::string out;
  for (const char c : text) {
    const bool letter = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter || plain.find(c) != std::string_view::npos) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.append({'%', digits[byte >> 4], digits[byte & 15]});
  }
  return out;
}

}  // namespace weir::main
