// relay LISTEN_PORT ORIGIN_PORT...: moves bytes between a client connection and one connection to
// an origin of its own, and reads nothing of them. What it costs is the kernel's price for two
// sockets: the floor a proxy on sockets can reach.
#include <memory>
#include <string>
#include <vector>

#include "sockets.h"

namespace {

// Large enough for a whole answer of 64 KiB with its head.
constexpr std::size_t kBuffer = 256 * 1024;

struct Pair;

struct Side {
  int fd = -1;
  Side* other = nullptr;
  Pair* pair = nullptr;
  std::string tail;    // bytes for this side that its socket had no room for
  bool ended = false;  // it will send no more
};

struct Pair {
  Side client;
  Side origin;
  bool closed = false;
};

class Relay {
 public:
  Relay(std::uint16_t port, std::vector<std::uint16_t> origins)
      : origins_(std::move(origins)), listener_(bench::listen_on(port)), buffer_(kBuffer) {
    poll_.add_listener(listener_, nullptr);
  }

  [[noreturn]] void run() {
    for (;;) {
      for (const epoll_event& event : poll_.wait()) {
        if (event.data.ptr == nullptr) {
          accept_all();
        } else {
          on_event(*static_cast<Side*>(event.data.ptr), event.events);
        }
      }
      // Other events of the same turn may still have pointed at these.
      closed_.clear();
    }
  }

 private:
  void accept_all() {
    for (;;) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      bench::no_delay(fd);
      auto* pair = new Pair;
      pair->client = {fd, &pair->origin, pair, {}, false};
      pair->origin = {
          bench::connect_to(origins_[next_++ % origins_.size()]), &pair->client, pair, {}, false};
      poll_.add(pair->client.fd, &pair->client);
      poll_.add(pair->origin.fd, &pair->origin);
    }
  }

  void on_event(Side& side, std::uint32_t events) {
    if (side.pair->closed) return;
    if ((events & EPOLLERR) != 0) return close(*side.pair);
    if ((events & EPOLLOUT) != 0 && !side.tail.empty()) {
      if (!flush(side)) return;
      // What was held back while this side had no room: no new edge announces it.
      if (side.tail.empty() && !move(*side.other, true)) return;
    }
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) != 0) {
      move(side, (events & (EPOLLRDHUP | EPOLLHUP)) != 0);
    }
  }

  // False when the pair is closed.
  bool flush(Side& side) {
    const ssize_t n = ::send(side.fd, side.tail.data(), side.tail.size(), MSG_NOSIGNAL);
    if (n < 0) return bench::would_block() || (close(*side.pair), false);
    side.tail.erase(0, static_cast<std::size_t>(n));
    return true;
  }

  // From `side` to the other one until there is nothing to read or no room to write. A short read
  // means drained, unless the end of the stream is known to follow (`to_the_end`).
  bool move(Side& side, bool to_the_end) {
    while (side.other->tail.empty() && !side.ended) {
      const ssize_t n = ::recv(side.fd, buffer_.data(), buffer_.size(), 0);
      if (n == 0) return end(side);
      if (n < 0) return bench::would_block() || (close(*side.pair), false);
      const auto size = static_cast<std::size_t>(n);
      const ssize_t m = ::send(side.other->fd, buffer_.data(), size, MSG_NOSIGNAL);
      if (m < 0 && !bench::would_block()) return close(*side.pair), false;
      const std::size_t sent = m < 0 ? 0 : static_cast<std::size_t>(m);
      if (sent < size) side.other->tail.assign(buffer_.data() + sent, size - sent);
      if (size < buffer_.size() && !to_the_end) break;
    }
    return true;
  }

  bool end(Side& side) {
    side.ended = true;
    if (side.other->ended) return close(*side.pair), false;
    ::shutdown(side.other->fd, SHUT_WR);
    return true;
  }

  void close(Pair& pair) {
    pair.closed = true;
    ::close(pair.client.fd);
    ::close(pair.origin.fd);
    closed_.emplace_back(&pair);
  }

  bench::Poll poll_;
  std::vector<std::uint16_t> origins_;
  std::size_t next_ = 0;
  int listener_;
  std::vector<char> buffer_;
  std::vector<std::unique_ptr<Pair>> closed_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: relay LISTEN_PORT ORIGIN_PORT...\n");
    return 2;
  }
  bench::raise_descriptor_limit();
  std::vector<std::uint16_t> origins;
  for (int i = 2; i < argc; ++i) {
    origins.push_back(bench::number<std::uint16_t>(argv[i], "origin port"));
  }
  Relay(bench::number<std::uint16_t>(argv[1], "port"), std::move(origins)).run();
}
