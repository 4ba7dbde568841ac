// handshakes --port P --request FILE [options]: TLS connections, one request each, over and over.
//
//   --connections N   how many at a time, a thread each (8)
//   --warm N          connections a thread makes before the measurement (1)
//   --seconds S       how long to measure
//   --resume          with the session of the connection before; else full handshakes
//
// Speaks with whoever started it as load does. A connection counts when its answer has come and,
// with --resume, its session was taken up again.
#include <openssl/ssl.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "options.h"
#include "sockets.h"

namespace {

struct Options : bench::LoadOptions {
  bool resume = false;
};

struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};

// One of the threads: it has sessions, and counts, of its own.
class Client {
 public:
  explicit Client(const Options& options) : options_(options) {
    context_.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_session_cache_mode(context_.get(),
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_set_app_data(context_.get(), this);
    SSL_CTX_sess_set_new_cb(context_.get(), [](SSL* ssl, SSL_SESSION* session) {
      auto* self = static_cast<Client*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
      self->session_.reset(session);
      return 1;
    });
  }

  void warm_up() {
    for (std::size_t i = 0; i < options_.warm; ++i) {
      if (!once()) bench::die("handshakes: the peer does not answer");
    }
  }

  void run(std::uint64_t end) {
    while (bench::now_ns() < end) {
      const auto began = bench::now_ns();
      if (once() && (!options_.resume || resumed_)) {
        times_.push_back((bench::now_ns() - began) / 1000);
      } else {
        ++errors_;
      }
    }
  }

  [[nodiscard]] const std::vector<std::uint64_t>& times() const { return times_; }
  [[nodiscard]] std::uint64_t errors() const { return errors_; }

 private:
  bool once() {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    const auto address = bench::loopback(options_.port);
    bench::no_delay(fd);
    const bool good =
        ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
        exchange(fd);
    ::close(fd);
    return good;
  }

  bool exchange(int fd) {
    const std::unique_ptr<SSL, Free> ssl(SSL_new(context_.get()));
    SSL_set_fd(ssl.get(), fd);
    SSL_set_tlsext_host_name(ssl.get(), "app.example.com");
    if (options_.resume && session_) SSL_set_session(ssl.get(), session_.get());
    if (SSL_connect(ssl.get()) != 1) return false;
    resumed_ = SSL_session_reused(ssl.get()) == 1;
    const auto size = static_cast<int>(options_.request.size());
    if (SSL_write(ssl.get(), options_.request.data(), size) != size) return false;
    std::array<char, 16 * 1024> buffer;
    int got = 0;
    bool good = false;
    while ((got = SSL_read(ssl.get(), buffer.data(), static_cast<int>(buffer.size()))) > 0) {
      good = good || std::string_view(buffer.data(), static_cast<std::size_t>(got))
                         .starts_with("HTTP/1.1 200");
    }
    SSL_set_shutdown(ssl.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);  // stays resumable
    return good;
  }

  const Options& options_;
  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL_SESSION, Free> session_;
  bool resumed_ = false;
  std::vector<std::uint64_t> times_;  // microseconds
  std::uint64_t errors_ = 0;
};

Options parse(int argc, char** argv) {
  Options options;
  options.connections = 8;
  bench::parse(
      argc, argv, options,
      [&](std::string_view name) { return name == "--resume" && (options.resume = true); },
      [](std::string_view, const char*) {});
  return options;
}

template <class Each>
void at_once(std::vector<std::unique_ptr<Client>>& clients, Each each) {
  std::vector<std::thread> threads;
  threads.reserve(clients.size());
  for (auto& client : clients) threads.emplace_back([&each, &client] { each(*client); });
  for (auto& thread : threads) thread.join();
}

void report(const std::vector<std::unique_ptr<Client>>& clients, double seconds) {
  std::vector<std::uint64_t> times;
  std::uint64_t errors = 0;
  for (const auto& client : clients) {
    times.insert(times.end(), client->times().begin(), client->times().end());
    errors += client->errors();
  }
  std::sort(times.begin(), times.end());
  const auto at = [&](double share) {
    return times.empty()
               ? 0
               : times[static_cast<std::size_t>(share * static_cast<double>(times.size() - 1))];
  };
  std::printf(
      "{\"requests\": %zu, \"seconds\": %.6f, \"errors\": %llu, \"p50_us\": %llu, "
      "\"p99_us\": %llu}\n",
      times.size(), seconds, static_cast<unsigned long long>(errors),
      static_cast<unsigned long long>(at(0.5)), static_cast<unsigned long long>(at(0.99)));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const Options options = parse(argc, argv);
  std::vector<std::unique_ptr<Client>> clients;
  for (std::size_t i = 0; i < options.connections; ++i) {
    clients.push_back(std::make_unique<Client>(options));
  }
  at_once(clients, [](Client& client) { client.warm_up(); });
  std::puts("ready");
  std::fflush(stdout);
  if (std::getchar() == EOF) return 0;
  const auto began = bench::now_ns();
  const auto end = began + static_cast<std::uint64_t>(options.seconds * 1e9);
  at_once(clients, [end](Client& client) { client.run(end); });
  report(clients, static_cast<double>(bench::now_ns() - began) / 1e9);
  while (std::getchar() != EOF) {
  }
  return 0;
}
