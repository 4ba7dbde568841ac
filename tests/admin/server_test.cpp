// The admin listener over real sockets on loopback.
#include "admin/server.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/json/parse.hpp>
#include <future>
#include <optional>
#include <thread>
#include <utility>

#include "admin/events.h"
#include "admin/exposition.h"
#include "admin/fixture.h"

namespace weir::admin {
namespace {

// A server in a thread of its own, which stands for the control thread.
class Running {
 public:
  Running() {
    fixture_.add_pool("app", {test::make_peer("10.0.0.1:80")});
    fixture_.add_server("a.example");
    server_.emplace(io_, fixture_.source);
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const auto where = *IpAddress::parse("127.0.0.1");
    REQUIRE(::bind(fd, where.data(), where.size()) == 0);
    REQUIRE(::listen(fd, 128) == 0);
    socklen_t size = sizeof address_;
    REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&address_), &size) == 0);
    server_->set_listeners({{.fd = fd}});
    thread_ = std::thread([this] { io_.run(); });
  }
  ~Running() {
    in_thread([this] { server_.reset(); });
    guard_.reset();  // all operations end by themselves
    thread_.join();
  }

  template <class F>
  void in_thread(F f) {
    std::promise<void> done;
    boost::asio::post(io_, [&] {
      f();
      done.set_value();
    });
    done.get_future().wait();
  }
  [[nodiscard]] const sockaddr_in& address() const { return address_; }
  Server& server() { return *server_; }
  void reset() { server_.reset(); }

 private:
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{
      io_.get_executor()};
  test::Fixture fixture_;
  std::optional<Server> server_;
  sockaddr_in address_{};
  std::thread thread_;
};

struct Answer {
  int status = 0;
  std::string head;
  std::string body;
  [[nodiscard]] bool has(const std::string& line) const {
    return head.find("\r\n" + line + "\r\n") != std::string::npos;
  }
};

class Client {
 public:
  explicit Client(const Running& running) : Client(AF_INET) {
    const auto& address = running.address();
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  explicit Client(int family) : fd_(::socket(family, SOCK_STREAM, 0)) {
    const timeval limit{10, 0};  // a test that hangs fails
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }
  ~Client() { ::close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] int fd() const { return fd_; }
  void send(const std::string& text) const {
    CHECK(::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
  }
  void get(const std::string& target) const {
    send("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  Answer read(bool head_only = false) {
    Answer answer;
    while (received_.find("\r\n\r\n") == std::string::npos) {
      if (!more()) return answer;
    }
    const auto end = received_.find("\r\n\r\n") + 4;
    answer.head = received_.substr(0, end);
    received_.erase(0, end);
    REQUIRE(answer.head.starts_with("HTTP/1."));
    answer.status = std::stoi(answer.head.substr(9));
    const auto field = answer.head.find("Content-Length: ");
    REQUIRE(field != std::string::npos);
    const auto length = head_only ? 0 : std::stoul(answer.head.substr(field + 16));
    while (received_.size() < length && more()) {
    }
    answer.body = received_.substr(0, length);
    CHECK(answer.body.size() == length);
    received_.erase(0, length);
    return answer;
  }
  // What comes up to and including `end`, so many times.
  std::string read_until(const std::string& end, int times) {
    std::size_t at = 0;
    for (int i = 0; i < times; ++i) {
      while (received_.find(end, at) == std::string::npos) {
        if (!more()) return std::exchange(received_, {});
      }
      at = received_.find(end, at) + end.size();
    }
    auto text = received_.substr(0, at);
    received_.erase(0, at);
    return text;
  }
  // Whether the server has ended the connection in order, with nothing left to read.
  [[nodiscard]] bool at_end() {
    char byte = 0;
    return received_.empty() && ::recv(fd_, &byte, 1, 0) == 0;
  }

 private:
  bool more() {
    char chunk[4096];
    const auto got = ::recv(fd_, chunk, sizeof chunk, 0);
    if (got > 0) received_.append(chunk, static_cast<std::size_t>(got));
    return got > 0;
  }
  int fd_;
  bool connected_ = false;
  std::string received_;
};

}  // namespace

TEST_CASE("every page, over one connection") {
  Running running;
  Client client(running);
  struct Row {
    const char* target;
    int status;
    const char* type;
    const char* part;
  };
  const char* const plain = "text/plain; charset=utf-8";
  const Row rows[] = {
      {"/", 200, "text/html; charset=utf-8", "<title>weir</title>"},
      {"/dashboard/main.js", 200, "text/javascript; charset=utf-8", "import"},
      {"/dashboard/nothing.js", 404, plain, "not found"},
      {"/help", 200, plain, "/readyz"},
      {"/history", 200, "application/json", "\"per_second\""},
      {"/metrics", 200, "text/plain; version=0.0.4; charset=utf-8", "# TYPE weir_requests_total"},
      {"/metrics?a=b", 200, "text/plain; version=0.0.4; charset=utf-8", "weir_build_info"},
      {"/healthz", 200, plain, "ok\n"},
      {"/readyz", 200, plain, "ready\n"},
      {"/upstreams", 200, "application/json", "\"app\""},
      {"/nothing", 404, plain, "not found"},
      {"/metrics/", 404, plain, "not found"},
      {"*", 404, plain, "not found"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.target);
    client.get(row.target);
    const auto answer = client.read();
    CHECK(answer.status == row.status);
    CHECK(answer.has(std::string("Content-Type: ") + row.type));
    const bool asset = row.status == 200 && answer.head.find("\r\nETag: ") != std::string::npos;
    CHECK(answer.has(asset ? "Cache-Control: no-cache" : "Cache-Control: no-store"));
    CHECK(answer.has("X-Content-Type-Options: nosniff"));
    CHECK(answer.head.find("Content-Security-Policy: default-src 'none'; script-src 'self'") !=
          std::string::npos);
    CHECK(answer.head.find("unsafe-inline") == std::string::npos);
    CHECK(answer.body.find(row.part) != std::string::npos);
    client.send(std::string("HEAD ") + row.target + " HTTP/1.1\r\nHost: x\r\n\r\n");
    const auto head = client.read(true);
    CHECK(head.status == row.status);
    CHECK(head.has(std::string("Content-Type: ") + row.type));
  }
  client.get("/metrics");
  CHECK(test::ExpositionReader::read(client.read().body).errors.empty());
  client.get("/upstreams");
  CHECK(boost::json::parse(client.read().body).is_object());
}

TEST_CASE("a page that a browser has is not sent again") {
  Running running;
  Client client(running);
  client.get("/dashboard/style.css");
  const auto whole = client.read();
  const auto begin = whole.head.find("ETag: ") + 6;
  const auto tag = whole.head.substr(begin, whole.head.find("\r\n", begin) - begin);
  CHECK(tag.size() > 10);
  struct Row {
    std::string known;
    int status;
  };
  for (const auto& row :
       {Row{tag, 304}, Row{"\"x\", W/" + tag, 304}, Row{"*", 304}, Row{"\"x\"", 200}}) {
    CAPTURE(row.known);
    client.send("GET /dashboard/style.css HTTP/1.1\r\nHost: x\r\nIf-None-Match: " + row.known +
                "\r\n\r\n");
    const auto head = client.read_until("\r\n\r\n", 1);
    CHECK(head.starts_with("HTTP/1.1 " + std::to_string(row.status)));
    CHECK(head.find("\r\nETag: " + tag + "\r\n") != std::string::npos);
  }
}

TEST_CASE("events: the state, then changes and beats; a limit; one who goes makes room") {
  Running running;
  std::vector<std::unique_ptr<Client>> watchers;
  for (std::size_t i = 0; i < Events::kMost; ++i) {
    watchers.push_back(std::make_unique<Client>(running));
    watchers.back()->get("/events");
    const auto text = watchers.back()->read_until("\n\n", 2);
    CHECK(text.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(text.find("Content-Type: text/event-stream\r\n") != std::string::npos);
    CHECK(text.find("event: state\ndata: {") != std::string::npos);
    CHECK(text.find("10.0.0.1:80") != std::string::npos);
  }
  Client late(running);
  late.get("/events");
  const auto refused = late.read();
  CHECK(refused.status == 503);
  CHECK(refused.has("Retry-After: 10"));
  CHECK(watchers[0]->read_until("\n\n", 1).find("event: change\ndata: {\"at\":") !=
        std::string::npos);
  watchers.erase(watchers.begin());
  int status = 503;
  for (int i = 0; i < 1000 && status == 503; ++i) {
    Client next(running);
    next.send("GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
    const auto head = next.read_until("\r\n", 1);
    status = std::stoi(head.substr(9));
  }
  CHECK(status == 200);
}

TEST_CASE("methods") {
  Running running;
  Client client(running);
  struct Row {
    const char* line;
    int status;
  };
  const Row rows[] = {{"POST /metrics", 405}, {"DELETE /readyz", 405},
                      {"OPTIONS /", 405},     {"BREW /healthz", 405},
                      {"POST /history", 405}, {"POST /dashboard/main.js", 405},
                      {"POST /nothing", 404}};
  for (const auto& row : rows) {
    CAPTURE(row.line);
    client.send(std::string(row.line) + " HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    const auto answer = client.read();
    CHECK(answer.status == row.status);
    CHECK(answer.has("Allow: GET, HEAD") == (row.status == 405));
  }
}

TEST_CASE("requests that end the connection") {
  struct Row {
    const char* name;
    std::string bytes;
    int status;
  };
  const std::string begin = "GET /healthz HTTP/1.1\r\nHost: x\r\n";
  const Row rows[] = {
      {"not HTTP", "\x16\x03\x01\r\n\r\n", 400},
      {"a field without a colon", begin + "nonsense\r\n\r\n", 400},
      {"a field of 9 KiB", begin + "A: " + std::string(9000, 'a') + "\r\n\r\n", 431},
      {"a target of 9 KiB", "GET /" + std::string(9000, 'a') + " HTTP/1.1\r\n\r\n", 431},
      {"a head of 200 KiB", begin + "A: " + std::string(200'000, 'a') + "\r\n\r\n", 431},
      {"a body", begin + "Content-Length: 3\r\n\r\nabc", 413},
      {"a chunked body", begin + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 413},
      {"a body that is announced", begin + "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n",
       413},
      {"close", begin + "Connection: close\r\n\r\n", 200},
      {"HTTP/1.0", "GET /healthz HTTP/1.0\r\n\r\n", 200},
  };
  Running running;
  for (const auto& row : rows) {
    CAPTURE(row.name);
    Client client(running);
    client.send(row.bytes);
    CHECK(client.read().status == row.status);
    CHECK(client.at_end());
  }
}

TEST_CASE("a head just below the limit") {
  Running running;
  Client client(running);
  client.send("GET /healthz HTTP/1.1\r\nA: " + std::string(8000, 'a') + "\r\n\r\n");
  CHECK(client.read().status == 200);
}

TEST_CASE("HTTP/1.0 with keep-alive") {
  Running running;
  Client client(running);
  for (int i = 0; i < 2; ++i) {
    client.send("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const auto answer = client.read();
    CHECK(answer.status == 200);
    CHECK(answer.has("Connection: keep-alive"));
  }
}

TEST_CASE("pipelined requests are answered in order") {
  Running running;
  Client client(running);
  std::string all;
  for (int i = 0; i < 100; ++i) {
    all += i % 2 == 0 ? "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
                      : "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n";
  }
  client.send(all);
  for (int i = 0; i < 100; ++i) {
    CAPTURE(i);
    CHECK(client.read().body == (i % 2 == 0 ? "ok\n" : "ready\n"));
  }
}

TEST_CASE("a request byte by byte") {
  Running running;
  Client client(running);
  for (const char c : std::string("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")) client.send({c});
  CHECK(client.read().body == "ok\n");
}

TEST_CASE("clients that go away do no harm") {
  Running running;
  for (const char* bytes : {"", "GET", "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"}) {
    Client client(running);
    client.send(bytes);
    const linger reset{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(client.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  Client client(running);
  client.get("/healthz");
  CHECK(client.read().status == 200);
}

TEST_CASE("at the limit the connection that is idle longest makes room") {
  Running running;
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 48; ++i) {
    clients.push_back(std::make_unique<Client>(running));
    clients.back()->get("/healthz");
    CHECK(clients.back()->read().status == 200);
  }
  // The first one has been in use since; the second has not.
  clients[0]->get("/healthz");
  CHECK(clients[0]->read().status == 200);
  Client late(running);
  late.get("/healthz");
  CHECK(late.read().status == 200);
  CHECK(clients[1]->at_end());
  clients[0]->get("/healthz");
  CHECK(clients[0]->read().status == 200);
  clients[2]->get("/healthz");
  CHECK(clients[2]->read().status == 200);
}

namespace {

// The operators' socket, as one more listener.
class OperatorSocket {
 public:
  explicit OperatorSocket(Running& running) {
    path_.copy(address_.sun_path, sizeof address_.sun_path - 1);
    ::unlink(path_.c_str());
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address_), sizeof address_) == 0);
    REQUIRE(::listen(fd, 16) == 0);
    running.in_thread([&] { running.server().add_listener({.fd = fd, .trusted = true}); });
  }
  ~OperatorSocket() { ::unlink(path_.c_str()); }
  OperatorSocket(const OperatorSocket&) = delete;
  OperatorSocket& operator=(const OperatorSocket&) = delete;

  [[nodiscard]] int connect(int fd) const {
    return ::connect(fd, reinterpret_cast<const sockaddr*>(&address_), sizeof address_);
  }

 private:
  std::string path_ = "/tmp/weir-operator-test-" + std::to_string(::getpid()) + ".sock";
  sockaddr_un address_{.sun_family = AF_UNIX, .sun_path = {}};
};

}  // namespace

TEST_CASE("at the limit with all in a request, the newcomer goes") {
  Running running;
  std::vector<std::unique_ptr<Client>> clients;
  const OperatorSocket socket(running);
  Client operator_before(AF_UNIX);
  REQUIRE(socket.connect(operator_before.fd()) == 0);
  operator_before.get("/healthz");
  CHECK(operator_before.read().status == 200);
  for (int i = 0; i < 48; ++i) {
    clients.push_back(std::make_unique<Client>(running));
    clients.back()->get("/healthz");
    CHECK(clients.back()->read().status == 200);
    clients.back()->send("GET /healthz");
  }
  // Data sent before this has reached the server's sockets; a turn or two of its loop reads it.
  for (int i = 0; i < 3; ++i) running.in_thread([] {});
  Client late(running);
  CHECK(late.at_end());
  // Operators have places of their own: nobody takes them, and they get in.
  Client operator_late(AF_UNIX);
  REQUIRE(socket.connect(operator_late.fd()) == 0);
  operator_late.get("/healthz");
  CHECK(operator_late.read().status == 200);
  operator_before.get("/healthz");
  CHECK(operator_before.read().status == 200);
  clients[0]->send(" HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(clients[0]->read().status == 200);
}

TEST_CASE("new listeners take the place of earlier ones; connections go on") {
  Running running;
  Client before(running);
  before.get("/healthz");
  CHECK(before.read().status == 200);

  const std::string path = "/tmp/weir-admin-test-" + std::to_string(::getpid()) + ".sock";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ::unlink(path.c_str());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
  REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(fd, 16) == 0);
  running.in_thread([&] { running.server().set_listeners({{.fd = fd}}); });

  CHECK_FALSE(Client(running).connected());
  Client over_unix(AF_UNIX);
  REQUIRE(::connect(over_unix.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
          0);
  over_unix.get("/readyz");
  CHECK(over_unix.read().body == "ready\n");
  before.get("/healthz");
  CHECK(before.read().status == 200);
  ::unlink(path.c_str());
}

TEST_CASE("closing ends everything") {
  Running running;
  Client idle(running);
  idle.get("/healthz");
  CHECK(idle.read().status == 200);
  Client half(running);
  half.get("/healthz");
  CHECK(half.read().status == 200);
  half.send("GET /he");
  SUBCASE("close") {
    running.in_thread([&] {
      running.server().close();
      running.server().close();
    });
  }
  SUBCASE("the end of the server") {
    running.in_thread([&] { running.reset(); });
  }
  char byte = 0;
  CHECK(::recv(idle.fd(), &byte, 1, 0) <= 0);
  CHECK(::recv(half.fd(), &byte, 1, 0) <= 0);
  CHECK_FALSE(Client(running).connected());
}

}  // namespace weir::admin
