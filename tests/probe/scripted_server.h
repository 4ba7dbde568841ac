// A server on loopback that does to each connection what the test tells it, in the test's own
// io_context.
#pragma once

#include <algorithm>
#include <array>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <memory>
#include <string>

#include "base/address.h"

namespace weir::probe::test {

namespace asio = boost::asio;

// What a connection meets.
struct Script {
  std::string answer{};         // sent once the request has come
  bool close = false;           // after the answer; else the client must close
  bool reset = false;           // at the request
  bool byte_by_byte = false;    // a byte of the answer each millisecond
  bool repeat_forever = false;  // the answer again and again
  bool again = false;           // answers each further request, too
  bool at_once = false;         // answers without having been asked
};

inline std::string answer(const char* status_line) {
  return std::string("HTTP/1.1 ") + status_line + "\r\nContent-Length: 2\r\n\r\nok";
}

template <class Protocol>
class ScriptedServer {
 public:
  ScriptedServer(asio::io_context& io, const typename Protocol::endpoint& where)
      : io_(io), acceptor_(io, where) {
    accept();
  }

  Script script;
  // What it has seen. Outlives it: connections end with the loop.
  struct Seen {
    std::string last_request;
    int connections = 0;
    int requests = 0;
    int open = 0;
    int most_open = 0;
  };
  const std::shared_ptr<Seen> seen = std::make_shared<Seen>();
  std::string& last_request = seen->last_request;
  int& connections = seen->connections;
  int& requests = seen->requests;
  int& open = seen->open;
  int& most_open = seen->most_open;
  [[nodiscard]] typename Protocol::endpoint where() const { return acceptor_.local_endpoint(); }

 private:
  struct Connection : std::enable_shared_from_this<Connection> {
    Connection(typename Protocol::socket socket_, ScriptedServer& server_)
        : socket(std::move(socket_)),
          timer(server_.io_),
          seen(server_.seen),
          script(server_.script) {
      ++seen->connections;
      seen->most_open = std::max(seen->most_open, ++seen->open);
    }
    ~Connection() { --seen->open; }

    void start() {
      if (script.at_once) {
        asked = true;
        reply();
      }
      read();
    }
    void read() {
      socket.async_read_some(
          asio::buffer(chunk), [self = this->shared_from_this()](
                                   const boost::system::error_code& error, std::size_t size) {
            if (error) return;
            self->request.append(self->chunk.data(), size);
            self->seen->last_request = self->request;
            if (!self->asked && self->request.find("\r\n\r\n") != std::string::npos) {
              self->asked = true;
              ++self->seen->requests;
              self->reply();
            }
            self->read();  // until the client closes
          });
    }
    void reply() {
      if (script.reset) {
        socket.set_option(asio::socket_base::linger(true, 0));
        socket.close();
        return;
      }
      const std::size_t size = script.byte_by_byte ? 1 : script.answer.size() - sent;
      if (sent == script.answer.size()) {
        if (script.close) socket.close();
        if (script.again) {
          asked = false;
          sent = 0;
          request.clear();
        }
        return;
      }
      asio::async_write(socket, asio::buffer(script.answer.data() + sent, size),
                        [self = this->shared_from_this()](const boost::system::error_code& error,
                                                          std::size_t written) {
                          if (!error) self->go_on(written);
                        });
    }
    void go_on(std::size_t written) {
      sent += written;
      if (script.repeat_forever && sent == script.answer.size()) sent = 0;
      if (!script.byte_by_byte) return reply();
      timer.expires_after(std::chrono::milliseconds{1});
      timer.async_wait(
          [self = this->shared_from_this()](const boost::system::error_code&) { self->reply(); });
    }

    typename Protocol::socket socket;
    asio::steady_timer timer;
    std::shared_ptr<Seen> seen;
    Script script;
    std::array<char, 4096> chunk{};
    std::string request;
    std::size_t sent = 0;
    bool asked = false;
  };

  void accept() {
    acceptor_.async_accept(
        [this](const boost::system::error_code& error, typename Protocol::socket socket) {
          if (error) return;
          std::make_shared<Connection>(std::move(socket), *this)->start();
          accept();
        });
  }

  asio::io_context& io_;
  typename Protocol::acceptor acceptor_;
};

using TcpServer = ScriptedServer<asio::ip::tcp>;
using UnixServer = ScriptedServer<asio::local::stream_protocol>;

inline asio::ip::tcp::endpoint any_port() { return {asio::ip::address_v4::loopback(), 0}; }

// Runs the loop until the condition holds; false: it did not in 10 s.
inline bool run_until(asio::io_context& io, const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    io.restart();
    io.run_one_until(deadline);
  }
  return true;
}

}  // namespace weir::probe::test
