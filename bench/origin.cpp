// origin PORT...: answers from memory, as cheaply as an origin can, on every port given.
//
//   /1k /64k /10m   a counted body of that size      /browser   1 KiB under a head of 600 bytes
//   /empty          no body                          /chunked   1 KiB in four chunks
//   /ws             101, then every byte is sent back
//
// It reads of a request only its end, its path, its Content-Length and `Connection: close`.
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sockets.h"

namespace {

constexpr std::size_t kBuffer = 256 * 1024;

std::string answer(std::string_view fields, std::size_t body) {
  std::string text = "HTTP/1.1 200 OK\r\nServer: origin\r\n";
  text.append(fields);
  text += "Content-Length: " + std::to_string(body) + "\r\n\r\n";
  text.append(body, 'x');
  return text;
}

std::string chunked_answer() {
  std::string text =
      "HTTP/1.1 200 OK\r\nServer: origin\r\nContent-Type: text/plain\r\n"
      "Transfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 4; ++i) text += "100\r\n" + std::string(256, 'x') + "\r\n";
  return text + "0\r\n\r\n";
}

// What an application behind a browser answers, in names and sizes.
constexpr std::string_view kApplicationFields =
    "Date: Sun, 01 Mar 2026 10:20:30 GMT\r\n"
    "Content-Type: application/json; charset=utf-8\r\n"
    "Cache-Control: private, no-cache, max-age=0\r\n"
    "ETag: W/\"400-Zq8v0bJ7lq3mYx1kD2fT5wR9uHs\"\r\n"
    "Vary: Origin, Accept-Encoding\r\n"
    "X-Request-Id: 5a1d7f36-93c4-4a7e-8a51-20c4be6f11d9\r\n"
    "X-Response-Time: 3ms\r\n"
    "Access-Control-Allow-Origin: https://app.example.com\r\n"
    "Access-Control-Allow-Credentials: true\r\n"
    "Access-Control-Expose-Headers: content-disposition\r\n"
    "Set-Cookie: session=2f0c6b9be1c74a35a0d7; Path=/; HttpOnly; SameSite=Lax\r\n"
    "X-Content-Type-Options: nosniff\r\n";

constexpr std::string_view kPlainFields = "Content-Type: application/octet-stream\r\n";

class Answers {
 public:
  std::string_view find(std::string_view path) const {
    for (const auto& [name, text] : all_) {
      if (path == name) return text;
    }
    return missing_;
  }

 private:
  std::vector<std::pair<std::string_view, std::string>> all_ = {
      {"/1k", answer(kPlainFields, 1024)},
      {"/browser", answer(kApplicationFields, 1024)},
      {"/chunked", chunked_answer()},
      {"/empty", answer("", 0)},
      {"/64k", answer(kPlainFields, 64 * 1024)},
      {"/10m", answer(kPlainFields, 10 * 1024 * 1024)},
      {"/ws",
       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
       "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"},
  };
  std::string missing_ = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
};

struct Connection {
  int fd = -1;
  std::string in;        // an incomplete head, or requests that wait for an answer to be sent
  std::string_view out;  // what is left of a fixed answer
  std::string echo;      // what is left of a tunnel's bytes
  std::size_t skip = 0;  // bytes of a request's body still to come
  bool tunnel = false;
  bool last = false;  // close when `out` is sent
  bool closed = false;
};

std::string_view path_of(std::string_view head) {
  const std::size_t from = head.find(' ') + 1;
  return head.substr(from, head.find_first_of(" ?", from) - from);
}

// Proxies write field names in either case.
bool has_close(std::string_view head) {
  return head.find("onnection: close") != std::string_view::npos;
}

std::size_t body_size(std::string_view head) {
  if (!head.starts_with("POST")) return 0;
  std::size_t at = head.find("ontent-Length: ");
  if (at == std::string_view::npos) at = head.find("ontent-length: ");
  if (at == std::string_view::npos) return 0;
  at += 15;
  return bench::number<std::size_t>(head.substr(at, head.find('\r', at) - at), "content-length");
}

class Origin {
 public:
  explicit Origin(const std::vector<std::uint16_t>& ports) : buffer_(kBuffer) {
    for (const std::uint16_t port : ports) {
      auto listener = std::make_unique<Connection>();
      listener->fd = bench::listen_on(port);
      poll_.add_listener(listener->fd, listener.get());
      listeners_.push_back(std::move(listener));
    }
  }

  [[noreturn]] void run() {
    for (;;) {
      for (const epoll_event& event : poll_.wait()) {
        auto& connection = *static_cast<Connection*>(event.data.ptr);
        if (is_listener(connection)) {
          accept_all(connection.fd);
        } else {
          on_event(connection, event.events);
        }
      }
      closed_.clear();
    }
  }

 private:
  bool is_listener(const Connection& connection) const {
    for (const auto& listener : listeners_) {
      if (listener.get() == &connection) return true;
    }
    return false;
  }

  void accept_all(int listener) {
    for (;;) {
      const int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      bench::no_delay(fd);
      auto* connection = new Connection;
      connection->fd = fd;
      poll_.add(fd, connection);
    }
  }

  void on_event(Connection& c, std::uint32_t events) {
    if (c.closed) return;
    if ((events & (EPOLLERR | EPOLLHUP)) != 0) return close(c);
    if ((events & EPOLLOUT) != 0 && !flush(c)) return;
    if ((events & (EPOLLIN | EPOLLRDHUP)) != 0) read_all(c, (events & EPOLLRDHUP) != 0);
  }

  // A short read means drained, unless the end of the stream is known to follow.
  void read_all(Connection& c, bool to_the_end) {
    for (;;) {
      const ssize_t n = ::recv(c.fd, buffer_.data(), buffer_.size(), 0);
      if (n == 0 || (n < 0 && !bench::would_block())) return close(c);
      if (n < 0) return;
      const std::string_view bytes(buffer_.data(), static_cast<std::size_t>(n));
      if (c.in.empty()) {
        consume(c, bytes);
      } else {
        c.in.append(bytes);
        const std::string held = std::move(c.in);
        c.in.clear();
        consume(c, held);
      }
      if (c.closed || (bytes.size() < buffer_.size() && !to_the_end)) return;
    }
  }

  void consume(Connection& c, std::string_view bytes) {
    while (!bytes.empty() && !c.closed) {
      if (c.tunnel) return echo(c, bytes);
      const std::size_t skipped = std::min(c.skip, bytes.size());
      c.skip -= skipped;
      bytes.remove_prefix(skipped);
      if (c.skip != 0 || bytes.empty()) return;
      const std::size_t end = bytes.find("\r\n\r\n");
      if (end == std::string_view::npos || !c.out.empty()) {
        c.in.assign(bytes);
        return;
      }
      const std::string_view head = bytes.substr(0, end + 2);
      bytes.remove_prefix(end + 4);
      answer_to(c, head);
    }
  }

  void answer_to(Connection& c, std::string_view head) {
    const std::string_view path = path_of(head);
    c.skip = body_size(head);
    c.last = has_close(head);
    c.tunnel = path == "/ws";
    c.out = answers_.find(path);
    flush(c);
  }

  void echo(Connection& c, std::string_view bytes) {
    if (c.echo.empty()) {
      const ssize_t n = ::send(c.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n < 0 && !bench::would_block()) return close(c);
      if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    c.echo.append(bytes);
  }

  // False when the connection is closed.
  bool flush(Connection& c) {
    if (!c.out.empty()) {
      const ssize_t n = ::send(c.fd, c.out.data(), c.out.size(), MSG_NOSIGNAL);
      if (n < 0) return bench::would_block() || (close(c), false);
      c.out.remove_prefix(static_cast<std::size_t>(n));
      if (c.out.empty() && c.last) return close(c), false;
    }
    if (c.out.empty() && !c.echo.empty()) {
      const std::string held = std::move(c.echo);
      c.echo.clear();
      echo(c, held);
    }
    if (c.out.empty() && !c.in.empty() && !c.closed) resume(c);
    return !c.closed;
  }

  // Requests that came while an answer was still being sent.
  void resume(Connection& c) {
    if (c.in.find("\r\n\r\n") == std::string::npos) return;
    const std::string held = std::move(c.in);
    c.in.clear();
    consume(c, held);
  }

  void close(Connection& c) {
    c.closed = true;
    ::close(c.fd);
    closed_.emplace_back(&c);
  }

  bench::Poll poll_;
  Answers answers_;
  std::vector<char> buffer_;
  std::vector<std::unique_ptr<Connection>> listeners_;
  std::vector<std::unique_ptr<Connection>> closed_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: origin PORT...\n");
    return 2;
  }
  bench::raise_descriptor_limit();
  std::vector<std::uint16_t> ports;
  for (int i = 1; i < argc; ++i) ports.push_back(bench::number<std::uint16_t>(argv[i], "port"));
  Origin(ports).run();
}
