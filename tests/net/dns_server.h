// A name server on loopback, by UDP and TCP on one port, that answers as the test says; it runs in
// the loop under test. And a fixture whose clock moves only when it is told to.
#pragma once

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/dns_message.h"
#include "net/loop.h"
#include "net/task.h"

namespace weir::net::test {

using dns::Type;

inline std::string bytes16(std::size_t value) {
  return {static_cast<char>(value >> 8 & 0xff), static_cast<char>(value & 0xff)};
}

// "www.example" as labels; `pointer` (an offset) instead of the final zero.
inline std::string labels(std::string_view name, std::optional<std::size_t> pointer = {}) {
  std::string out;
  while (!name.empty()) {
    const auto label = name.substr(0, name.find('.'));
    out.push_back(static_cast<char>(label.size()));
    out.append(label);
    name.remove_prefix(std::min(name.size(), label.size() + 1));
  }
  return pointer ? out + bytes16(0xc000 | *pointer) : out + '\0';
}

inline std::string record(std::string_view owner, Type type, std::size_t ttl, std::string data) {
  return labels(owner) + bytes16(static_cast<std::size_t>(type)) + bytes16(1) + bytes16(ttl >> 16) +
         bytes16(ttl) + bytes16(data.size()) + std::move(data);
}

// By address: of type A or AAAA.
inline std::string address(std::string_view owner, std::string_view text, std::size_t ttl = 3600) {
  const auto parsed = IpAddress::parse(text);
  REQUIRE(parsed);
  const auto bytes = parsed->bytes();
  return record(owner, parsed->is_v4() ? Type::a : Type::aaaa, ttl,
                {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

inline std::string cname(std::string_view owner, std::string_view target, std::size_t ttl = 3600) {
  return record(owner, Type::cname, ttl, labels(target));
}

inline std::string srv(std::string_view owner, std::size_t priority, std::size_t weight,
                       std::size_t port, std::string_view target, std::size_t ttl = 3600) {
  return record(owner, Type::srv, ttl,
                bytes16(priority) + bytes16(weight) + bytes16(port) + labels(target));
}

struct Query {
  std::uint16_t id = 0;
  std::string name;
  Type type{};
  bool tcp = false;
  std::uint16_t from = 0;  // the port it came from

  [[nodiscard]] std::string message(std::uint16_t flags, std::size_t answers,
                                    std::string_view rest) const {
    return bytes16(id) + bytes16(flags) + bytes16(1) + bytes16(answers) + std::string(4, '\0') +
           labels(name) + bytes16(static_cast<std::size_t>(type)) + bytes16(1) + std::string(rest);
  }
  [[nodiscard]] std::string with(std::vector<std::string> records, int code = 0) const {
    std::string rest;
    for (const auto& each : records) rest += each;
    return message(static_cast<std::uint16_t>(0x8180 | code), records.size(), rest);
  }
  [[nodiscard]] std::string nothing() const { return with({}); }
  [[nodiscard]] std::string error(int code) const { return with({}, code); }
  [[nodiscard]] std::string truncated() const { return message(0x8380, 0, ""); }
};

class DnsServer {
 public:
  // The datagrams to send back, or the messages by TCP. None: silence.
  using Handler = std::function<std::vector<std::string>(const Query&)>;

  // On the same port as another one, at `host`, if `port` is given.
  explicit DnsServer(Loop& loop, Handler handler, const char* host = "127.0.0.1",
                     std::uint16_t port = 0)
      : loop_(loop), handler_(std::move(handler)), udp_waiter_(loop), tcp_waiter_(loop) {
    for (int i = 0; i < 20 && !listen(host, port); ++i) REQUIRE(port == 0);
    REQUIRE(udp_.is_open());
    udp_task_.emplace(serve_udp());
    udp_task_->start();
    tcp_task_.emplace(serve_tcp());
    tcp_task_->start();
  }

  [[nodiscard]] const IpAddress& where() const { return where_; }
  std::vector<Query> queries;
  [[nodiscard]] std::size_t asked(std::string_view name) const {
    return static_cast<std::size_t>(std::count_if(
        queries.begin(), queries.end(), [&](const Query& query) { return query.name == name; }));
  }
  void handle(Handler handler) { handler_ = std::move(handler); }
  void send(std::string_view message, std::uint16_t port) {
    const auto client = *IpAddress::parse("127.0.0.1", port);
    ::sendto(udp_.fd(), message.data(), message.size(), 0, client.data(), client.size());
  }
  int connections = 0;
  void close_tcp() {
    tcp_task_.reset();
    listener_.close();
  }
  void close() {
    close_tcp();
    udp_task_.reset();
    udp_.close();
  }

 private:
  bool listen(const char* host, std::uint16_t port) {
    where_ = *IpAddress::parse(host, port);
    const int udp = ::socket(where_.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int tcp = ::socket(where_.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    REQUIRE(udp >= 0);
    REQUIRE(tcp >= 0);
    const int on = 1;
    ::setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    bool done = ::bind(udp, where_.data(), where_.size()) == 0 &&
                ::getsockname(udp, reinterpret_cast<sockaddr*>(&bound), &size) == 0;
    where_ = IpAddress(reinterpret_cast<const sockaddr*>(&bound));
    done = done && ::bind(tcp, where_.data(), where_.size()) == 0 && ::listen(tcp, 16) == 0;
    if (!done) {
      ::close(udp);
      ::close(tcp);
      return false;
    }
    return udp_.open(loop_, udp) && listener_.open(loop_, tcp);
  }

  std::optional<Query> parse(std::string_view message, bool tcp, std::uint16_t from) {
    dns::Reply question;
    std::string as_reply(message);
    if (as_reply.size() > 3) as_reply[2] = static_cast<char>(as_reply[2] | 0x80);
    if (dns::parse_reply(as_reply, question) != nullptr) return std::nullopt;
    return Query{question.id, question.name, question.type, tcp, from};
  }

  Task<void> serve_udp() {
    udp_.on_readable = &udp_waiter_;
    std::array<char, 4096> buffer;
    for (;;) {
      sockaddr_storage from{};
      socklen_t size = sizeof from;
      const auto got = ::recvfrom(udp_.fd(), buffer.data(), buffer.size(), 0,
                                  reinterpret_cast<sockaddr*>(&from), &size);
      if (got < 0) {
        co_await udp_waiter_.wait(TimePoint::max());
        continue;
      }
      const IpAddress client(reinterpret_cast<const sockaddr*>(&from));
      const auto query =
          parse({buffer.data(), static_cast<std::size_t>(got)}, false, client.port());
      CHECK(query);
      if (!query) continue;
      queries.push_back(*query);
      for (const auto& reply : handler_(*query)) {
        ::sendto(udp_.fd(), reply.data(), reply.size(), 0, client.data(), client.size());
      }
    }
  }

  // A connection at a time.
  Task<void> serve_tcp() {
    listener_.on_readable = &tcp_waiter_;
    for (;;) {
      const int fd = ::accept4(listener_.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) {
        co_await tcp_waiter_.wait(TimePoint::max());
        continue;
      }
      ++connections;
      Descriptor connection;
      REQUIRE(connection.open(loop_, fd));
      connection.on_readable = &tcp_waiter_;
      std::string in;
      for (;;) {
        std::array<char, 512> buffer;
        const auto got = connection.read(buffer.data(), buffer.size());
        if (got.blocked()) {
          co_await tcp_waiter_.wait(TimePoint::max());
          continue;
        }
        if (!got.ok()) break;
        in.append(buffer.data(), got.size);
        while (answer_tcp(connection, in)) continue;
      }
    }
  }

  bool answer_tcp(Descriptor& connection, std::string& in) {
    if (in.size() < 2) return false;
    const auto size = static_cast<std::size_t>(static_cast<unsigned char>(in[0])) << 8 |
                      static_cast<unsigned char>(in[1]);
    if (in.size() < 2 + size) return false;
    const auto query = parse(in.substr(2, size), true, 0);
    in.erase(0, 2 + size);
    CHECK(query);
    if (!query) return false;
    queries.push_back(*query);
    for (const auto& reply : handler_(*query)) connection.write(bytes16(reply.size()) + reply);
    return true;
  }

  Loop& loop_;
  Handler handler_;
  IpAddress where_;
  Waiter udp_waiter_;
  Waiter tcp_waiter_;
  Descriptor udp_;
  Descriptor listener_;
  std::optional<Task<void>> udp_task_;
  std::optional<Task<void>> tcp_task_;
};

// A loop whose time stands still but for pass(). Real time bounds a test that hangs.
class VirtualTime {
 public:
  ManualClock clock;
  Loop loop{clock};

  // Runs `test` to its end; it fails if that takes ten real seconds.
  void run(std::function<Task<void>()> test) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    bool hangs = false;
    spawn(run_and_stop(test));
    loop.run([&] {
      if (!guard_.armed()) loop.wheel().arm(guard_, loop.now() + std::chrono::milliseconds{100});
      if (hangs || std::chrono::steady_clock::now() < deadline) return;
      hangs = true;
      loop.stop();
    });
    REQUIRE_FALSE(hangs);
  }

  // Lets virtual time pass, and whatever follows from it happen.
  Task<void> pass(Duration time) {
    clock.advance(time + TimerWheel::kTick);
    co_await settle();
  }
  // Some turns of the loop, for the packets on their way: loopback loses none.
  Task<void> settle() {
    Waiter waiter(loop);
    for (int i = 0; i < 20; ++i) {
      loop.post([] {});
      co_await waiter.yield();
    }
  }

 private:
  Task<void> run_and_stop(std::function<Task<void>()>& test) {
    co_await test();
    loop.stop();
  }
  struct Guard : TimerWheel::Timer {
    Guard() : Timer([](Timer&) {}) {}
  };
  Guard guard_;
};

}  // namespace weir::net::test
