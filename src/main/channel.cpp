#include "main/channel.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <iterator>

namespace weir::main {
namespace {

constexpr std::size_t kMaxText = 16 * 1024;  // of a packet
constexpr std::size_t kMaxFds = 250;         // of a packet; the kernel's limit is 253
constexpr std::size_t kMaxAhead = 1u << 18;  // descriptors of a message
constexpr timeval kPatience{5, 0};
constexpr char kInPacket = 't';
constexpr char kInFile = 'f';  // the last descriptor is the text

union Control {
  cmsghdr align;
  std::array<char, CMSG_SPACE(kMaxFds * sizeof(int))> bytes;
};

UniqueFd to_memory(std::string_view text) {
  UniqueFd fd(::memfd_create("weir", MFD_CLOEXEC));
  while (fd && !text.empty()) {
    const auto n = ::write(fd.get(), text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return {};
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return fd;
}

bool from_memory(int fd, std::string& out) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return false;
  out.resize(static_cast<std::size_t>(info.st_size));
  std::size_t have = 0;
  while (have < out.size()) {
    const auto n = ::pread(fd, out.data() + have, out.size() - have, static_cast<off_t>(have));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    have += static_cast<std::size_t>(n);
  }
  return true;
}

void take_descriptors(msghdr& header, std::vector<UniqueFd>& out) {
  for (auto* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const auto count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
      out.emplace_back(fd);
    }
  }
}

}  // namespace

std::pair<Channel, Channel> Channel::make() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return {};
  for (const int fd : ends) ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  return {Channel(UniqueFd(ends[0])), Channel(UniqueFd(ends[1]))};
}

bool Channel::send(Kind kind, std::string_view text, const std::vector<int>& fds) {
  std::vector<int> all = fds;
  UniqueFd file;
  std::string packet;
  if (text.size() < kMaxText) {
    packet.append(1, kInPacket).append(text);
  } else {
    file = to_memory(text);
    if (!file) return false;
    all.push_back(file.get());
    packet.assign(1, kInFile);
  }
  const int* next = all.data();
  auto left = all.size();
  for (; left > kMaxFds; left -= kMaxFds, next += kMaxFds) {
    if (!send_packet(Kind::descriptors, {}, next, kMaxFds)) return false;
  }
  return send_packet(kind, packet, next, left);
}

bool Channel::send_packet(Kind kind, std::string_view text, const int* fds, std::size_t count) {
  auto byte = static_cast<char>(kind);
  std::array<iovec, 2> parts = {iovec{&byte, 1},
                                iovec{const_cast<char*>(text.data()), text.size()}};
  Control control{};
  msghdr header{};
  header.msg_iov = parts.data();
  header.msg_iovlen = parts.size();
  if (count > 0) {
    header.msg_control = control.bytes.data();
    header.msg_controllen = CMSG_SPACE(count * sizeof(int));
    auto* part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(count * sizeof(int));
    std::memcpy(CMSG_DATA(part), fds, count * sizeof(int));
  }
  ssize_t n;
  do {
    n = ::sendmsg(fd_.get(), &header, MSG_NOSIGNAL);
  } while (n < 0 && errno == EINTR);
  return n >= 0;
}

Channel::Got Channel::receive(Message& out) {
  for (;;) {
    const auto got = receive_packet(out);
    if (got != Got::message) return got;
    if (out.kind != Kind::descriptors) break;
    if (ahead_.size() > kMaxAhead) return Got::closed;
    std::move(out.fds.begin(), out.fds.end(), std::back_inserter(ahead_));
  }
  std::move(out.fds.begin(), out.fds.end(), std::back_inserter(ahead_));
  out.fds = std::exchange(ahead_, {});
  const bool in_file = out.text.starts_with(kInFile);
  out.text.erase(0, 1);
  if (!in_file) return Got::message;
  if (out.fds.empty()) return Got::closed;
  const auto file = std::move(out.fds.back());
  out.fds.pop_back();
  return from_memory(file.get(), out.text) ? Got::message : Got::closed;
}

Channel::Got Channel::receive_packet(Message& out) {
  std::array<char, kMaxText + 1> bytes;
  iovec part{bytes.data(), bytes.size()};
  Control control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.bytes.data();
  header.msg_controllen = control.bytes.size();
  ssize_t n;
  do {
    n = ::recvmsg(fd_.get(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (n < 0 && errno == EINTR);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return Got::nothing;
  out.fds.clear();
  if (n > 0) take_descriptors(header, out.fds);
  if (n <= 0 || (header.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) != 0) return Got::closed;
  out.kind = static_cast<Kind>(bytes[0]);
  out.text.assign(bytes.data() + 1, static_cast<std::size_t>(n) - 1);
  return Got::message;
}

}  // namespace weir::main
