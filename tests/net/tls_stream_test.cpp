#include "net/tls_stream.h"

#include <doctest/doctest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "net/task.h"
#include "tls/self_signed.h"

using namespace weir;
using namespace weir::net;
using std::chrono::seconds;

namespace {

// A server on a loop, and a client of OpenSSL's own that blocks, in a thread beside it.
struct Fixture {
  SystemClock clock;
  Loop loop{clock};
  Waiter waiter{loop};
  Descriptor server;
  std::array<int, 2> fds{};
  std::thread thread;

  Fixture() {
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) == 0);
    const timeval limit{5, 0};
    ::setsockopt(fds[1], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    REQUIRE(server.open(loop, fds[0]));
    const auto pair = tls::self_signed(1000);
    auto context = std::make_shared<tls::Context>(tls::Context::Side::server);
    REQUIRE(context->add_pair(pair.certificate, pair.key, {}).ok());
    context->use_tickets(true, nullptr);
    context->name("test");
    auto stream = TlsStream::server(server, std::move(context));
    REQUIRE(stream != nullptr);
    server.use_tls(std::move(stream));
  }
  ~Fixture() { ::close(fds[1]); }

  // Runs `serve` after the handshake, and `client` beside it.
  void run(const std::function<Task<void>()>& serve, std::function<void(SSL*)> client) {
    thread = std::thread([this, client = std::move(client)] {
      const tls::SslCtxPtr context(SSL_CTX_new(TLS_client_method()));
      const tls::SslPtr ssl(SSL_new(context.get()));
      SSL_set_fd(ssl.get(), fds[1]);
      if (SSL_connect(ssl.get()) == 1) client(ssl.get());
    });
    spawn(whole(serve));
    loop.run([] {});
    thread.join();
  }

  Task<void> end() {
    for (server.tls()->end_writing(); server.tls()->owes_end(); server.tls()->end_writing()) {
      const bool room = co_await wait(server.on_writable);
      if (!room) break;
    }
  }

  Task<bool> wait(Waiter*& slot) {
    const Interest interest(slot, waiter);
    co_return co_await waiter.wait(loop.now() + seconds{5}) == Wake::ready;
  }

 private:
  Task<void> whole(const std::function<Task<void>()>& serve) {
    auto step = server.tls()->handshake();
    while (step != TlsStream::Step::done && step != TlsStream::Step::failed) {
      if (!co_await wait(server.on_readable)) break;
      step = server.tls()->handshake();
    }
    CHECK(step == TlsStream::Step::done);
    co_await serve();
    server.close();
    loop.stop();
  }
};

}  // namespace

TEST_CASE("what is written in part comes whole, whatever size is offered next") {
  Fixture f;
  std::string data(3'000'000, '\0');
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 7 + i / 1000);
  std::string got;
  f.run(
      [&]() -> Task<void> {
        std::size_t sent = 0;
        std::size_t turn = 0;
        while (sent < data.size()) {
          // Offers of all sizes, also less than what waits in the socket.
          const std::size_t offer = 1 + turn++ * 3571 % 40'000;
          const auto result = f.server.write(std::string_view(data).substr(sent, offer));
          REQUIRE((result.ok() || result.blocked()));
          sent += result.size;
          if (f.server.writable()) continue;
          const bool room = co_await f.wait(f.server.on_writable);
          if (!room) break;
        }
        CHECK(sent == data.size());
        co_await f.end();
      },
      [&](SSL* ssl) {
        std::array<char, 5000> piece;
        for (int n = 0; (n = SSL_read(ssl, piece.data(), piece.size())) > 0;) {
          got.append(piece.data(), static_cast<std::size_t>(n));
        }
        CHECK((SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN) != 0);
      });
  CHECK((got == data));
}

TEST_CASE("the end is told of when there is room for it") {
  Fixture f;
  std::size_t sent = 0;
  std::size_t got = 0;
  std::atomic<bool> full = false;
  f.run(
      [&]() -> Task<void> {
        // The last byte waits in the socket, and the end behind it.
        while (f.server.writable()) sent += f.server.write("x").size;
        f.server.tls()->end_writing();
        CHECK(f.server.tls()->owes_end());
        full = true;
        co_await f.end();
        CHECK_FALSE(f.server.tls()->owes_end());
      },
      [&](SSL* ssl) {
        while (!full) std::this_thread::yield();
        std::array<char, 5000> piece;
        for (int n = 0; (n = SSL_read(ssl, piece.data(), piece.size())) > 0;) {
          got += static_cast<std::size_t>(n);
        }
        CHECK((SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN) != 0);
      });
  CHECK(got == sent);
}

TEST_CASE("a client that only changes its keys is not listened to for long") {
  Fixture f;
  bool ended = false;
  f.run(
      [&]() -> Task<void> {
        std::array<char, 100> piece;
        for (;;) {
          const auto got = f.server.read(piece.data(), piece.size());
          if (got.status == IoResult::Status::error) {
            ended = true;
            break;
          }
          if (got.status == IoResult::Status::eof) break;
          if (!f.server.readable() && !co_await f.wait(f.server.on_readable)) break;
        }
      },
      [&](SSL* ssl) {
        for (int i = 0; i < 100; ++i) {
          SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
          if (SSL_do_handshake(ssl) != 1) return;
        }
        SSL_shutdown(ssl);
      });
  CHECK(ended);
}

TEST_CASE("bytes are read, and there are no more of them") {
  Fixture f;
  std::string got;
  std::array<char, 50> early;
  f.run(
      [&]() -> Task<void> {
        std::array<char, 100> piece;
        while (got.size() < 5) {
          const auto read = f.server.read(piece.data(), piece.size());
          if (read.ok()) got.append(piece.data(), read.size);
          if (!read.ok() && !read.blocked()) break;
          if (!f.server.readable() && !co_await f.wait(f.server.on_readable)) break;
        }
        CHECK(f.server.peek().blocked());
      },
      [&](SSL* ssl) {
        SSL_write(ssl, "hello", 5);
        SSL_read(ssl, early.data(), 1);  // until the server has closed
      });
  CHECK(got == "hello");
}
