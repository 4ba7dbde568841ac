// load --port P --request FILE [options]: a closed loop of requests over many connections.
//
//   --connections N   how many (64)
//   --warm N          requests a connection sends before the measurement (1)
//   --seconds S       how long to measure, or
//   --requests N      how many requests to measure
//   --reconnect       a connection per request; the peer is expected to close
//   --tunnel BYTES    the request is an upgrade; then messages of BYTES go to and fro
//   --status N        the status every answer must have (200)
//
// It speaks with whoever started it, so that nothing but the measured requests is between two
// readings of a counter: prints `ready` when all connections are warm and idle, waits for a line,
// measures, prints one line of JSON, keeps the connections open, and ends when its input ends.
#include <string>
#include <vector>

#include "options.h"
#include "reply_reader.h"
#include "sockets.h"

namespace {

constexpr std::size_t kBuffer = 256 * 1024;
// Connections opened at a time, so that no listen queue overflows.
constexpr std::size_t kOpening = 64;

struct Options : bench::LoadOptions {
  std::uint64_t requests = 0;
  bool reconnect = false;
  std::size_t tunnel = 0;
  int status = 200;
};

// Microseconds in buckets that are at most 1/16 of their value wide.
class Latencies {
 public:
  void add(std::uint64_t ns) {
    ++counts_[bucket(ns / 1000)];
    ++total_;
  }
  std::uint64_t quantile(double q) const {
    std::uint64_t left = static_cast<std::uint64_t>(q * static_cast<double>(total_));
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      if (counts_[i] > left) return lower_bound(i);
      left -= counts_[i];
    }
    return 0;
  }

 private:
  static std::size_t bucket(std::uint64_t us) {
    if (us < 16) return us;
    const auto exponent = static_cast<std::size_t>(63 - __builtin_clzll(us));
    return std::min<std::size_t>(kBuckets - 1,
                                 16 * (exponent - 3) + ((us >> (exponent - 4)) & 15U));
  }
  static std::uint64_t lower_bound(std::size_t i) {
    return i < 16 ? i : (16 + (i & 15U)) << (i / 16 - 1);
  }

  static constexpr std::size_t kBuckets = 512;
  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(kBuckets);
  std::uint64_t total_ = 0;
};

struct Connection {
  int fd = -1;
  std::string_view out;  // what is left to send of the request or message
  std::uint64_t sent_at = 0;
  bench::ReplyReader reply;
  std::size_t echo_left = 0;  // bytes of the message that must still come back
  std::size_t warm_left = 0;
  bool tunnel = false;  // upgraded
  bool busy = false;    // a request is under way
  bool opening = false;
};

class Load {
 public:
  explicit Load(Options options) : options_(std::move(options)), buffer_(kBuffer) {
    message_ = frame(options_.tunnel);
    connections_.resize(options_.connections);
    for (Connection& c : connections_) c.warm_left = std::max<std::size_t>(1, options_.warm);
  }

  // Opens every connection and sends its warm-up requests.
  void warm_up() {
    cold_ = connections_.size();
    open_more();
    while (cold_ != 0) turn();
  }

  void measure() {
    measuring_ = true;
    quota_ = options_.requests != 0 ? options_.requests : UINT64_MAX;
    begin_ = bench::now_ns();
    end_ = options_.seconds > 0 ? begin_ + static_cast<std::uint64_t>(options_.seconds * 1e9)
                                : UINT64_MAX;
    for (Connection& c : connections_) next(c);
    while (busy_ != 0) turn();
  }

  void report() const {
    std::printf(
        "{\"requests\": %llu, \"seconds\": %.6f, \"errors\": %llu, \"bytes\": %llu, "
        "\"p50_us\": %llu, \"p99_us\": %llu}\n",
        static_cast<unsigned long long>(done_), static_cast<double>(last_ - begin_) / 1e9,
        static_cast<unsigned long long>(errors_), static_cast<unsigned long long>(bytes_),
        static_cast<unsigned long long>(latencies_.quantile(0.5)),
        static_cast<unsigned long long>(latencies_.quantile(0.99)));
    std::fflush(stdout);
  }

 private:
  // A masked binary message of that payload, as a browser sends it.
  static std::string frame(std::size_t payload) {
    if (payload == 0) return {};
    std::string text = "\x82";
    if (payload < 126) {
      text += static_cast<char>(0x80U | payload);
    } else {
      text += {static_cast<char>(0xFE), static_cast<char>(payload >> 8U),
               static_cast<char>(payload & 0xFFU)};
    }
    return text + "mask" + std::string(payload, 'x');
  }

  void turn() {
    for (const epoll_event& event : poll_.wait(1000)) {
      on_event(*static_cast<Connection*>(event.data.ptr), event.events);
    }
    if (bench::now_ns() > begin_of_silence_ + kSilence) {
      std::fprintf(stderr, "load: no answer for 10 s\n");
      std::exit(1);
    }
  }

  void open_more() {
    while (opening_ < kOpening && opened_ < connections_.size()) {
      Connection& c = connections_[opened_++];
      c.opening = true;
      ++opening_;
      open(c);
      start(c);
    }
  }

  void open(Connection& c) {
    c.tunnel = false;
    c.fd = bench::connect_to(options_.port);
    poll_.add(c.fd, &c);
  }

  void start(Connection& c) {
    if (!c.busy) ++busy_;
    c.busy = true;
    c.sent_at = bench::now_ns();
    c.reply.reset();
    c.out = c.tunnel ? std::string_view(message_) : std::string_view(options_.request);
    c.echo_left = c.tunnel ? message_.size() : 0;
    write(c);
  }

  void stop(Connection& c) {
    c.busy = false;
    --busy_;
  }

  // The next request of an idle connection, or none when the measurement is over.
  void next(Connection& c) {
    if (measuring_) {
      if (issued_ >= quota_ || bench::now_ns() >= end_) return;
      ++issued_;
    }
    if (c.fd < 0) open(c);
    start(c);
  }

  void write(Connection& c) {
    if (c.out.empty()) return;
    const ssize_t n = ::send(c.fd, c.out.data(), c.out.size(), MSG_NOSIGNAL);
    if (n > 0) c.out.remove_prefix(static_cast<std::size_t>(n));
    // Any other error shows when the connection is read.
  }

  void on_event(Connection& c, std::uint32_t events) {
    if (c.fd < 0) return;
    if ((events & EPOLLOUT) != 0 && c.busy) write(c);
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
      read_all(c, (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
    }
  }

  void read_all(Connection& c, bool to_the_end) {
    const int fd = c.fd;
    while (c.fd == fd) {
      const std::size_t throw_away = c.reply.counted_left();
      // The kernel drops bytes that nobody will look at (MSG_TRUNC of tcp(7)): the load must be
      // cheaper than what it loads.
      const bool drop = throw_away > buffer_.size();
      const ssize_t n = drop ? ::recv(fd, nullptr, throw_away, MSG_TRUNC)
                             : ::recv(fd, buffer_.data(), buffer_.size(), 0);
      if (n < 0 && bench::would_block()) return;
      if (n <= 0) return on_end(c);
      const auto size = static_cast<std::size_t>(n);
      bytes_ += measuring_ ? size : 0;
      if (drop) {
        c.reply.skip_counted(size);
        if (c.reply.done()) on_answer(c);
      } else {
        take(c, {buffer_.data(), size});
        if (size < buffer_.size() && !to_the_end) return;
      }
    }
  }

  void take(Connection& c, std::string_view bytes) {
    if (c.tunnel) {
      if (bytes.size() > c.echo_left) return on_error(c);
      c.echo_left -= bytes.size();
      if (c.echo_left == 0) on_answer(c);
      return;
    }
    const std::size_t used = c.reply.feed(bytes);
    if (c.reply.bad() || used != bytes.size() || (c.reply.done() && !c.busy)) return on_error(c);
    if (!c.reply.done()) return;
    if (c.reply.status() != (options_.tunnel != 0 ? 101 : options_.status)) return on_error(c);
    if (options_.reconnect) return;  // ends when the peer closes
    if (options_.tunnel != 0) {
      c.tunnel = true;
      return start(c);
    }
    on_answer(c);
  }

  void on_end(Connection& c) {
    if (!options_.reconnect || !c.reply.done() || !c.busy) return on_error(c);
    ::close(c.fd);
    c.fd = -1;
    on_answer(c);
  }

  void on_answer(Connection& c) {
    begin_of_silence_ = last_ = bench::now_ns();
    stop(c);
    if (measuring_) {
      ++done_;
      latencies_.add(last_ - c.sent_at);
      return next(c);
    }
    if (--c.warm_left != 0) return next(c);
    --cold_;
    opened(c);
  }

  void on_error(Connection& c) {
    ++errors_;
    if (!measuring_ && errors_ > connections_.size()) {
      std::fprintf(stderr, "load: the warm-up failed, last status %d\n", c.reply.status());
      std::exit(1);
    }
    ::close(c.fd);
    c.fd = -1;
    if (c.busy) {
      stop(c);
      next(c);
    } else {
      open(c);
    }
  }

  void opened(Connection& c) {
    if (!c.opening) return;
    c.opening = false;
    --opening_;
    open_more();
  }

  static constexpr std::uint64_t kSilence = 10'000'000'000;

  Options options_;
  bench::Poll poll_;
  std::vector<char> buffer_;
  std::string message_;
  std::vector<Connection> connections_;
  std::size_t opened_ = 0;   // connections that were ever opened
  std::size_t opening_ = 0;  // of them, those that have not finished their warm-up
  std::size_t cold_ = 0;     // connections that have not finished their warm-up
  std::size_t busy_ = 0;     // connections with a request under way
  bool measuring_ = false;
  std::uint64_t quota_ = 0;
  std::uint64_t issued_ = 0;
  std::uint64_t done_ = 0;
  std::uint64_t errors_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t begin_ = 0;
  std::uint64_t end_ = 0;
  std::uint64_t last_ = 0;
  std::uint64_t begin_of_silence_ = bench::now_ns();
  Latencies latencies_;
};

Options parse(int argc, char** argv) {
  Options options;
  options.connections = 64;
  bench::parse(
      argc, argv, options,
      [&](std::string_view name) { return name == "--reconnect" && (options.reconnect = true); },
      [&](std::string_view name, const char* value) {
        if (name == "--requests")
          options.requests = bench::number<std::uint64_t>(value, "--requests");
        if (name == "--tunnel") options.tunnel = bench::number<std::size_t>(value, "--tunnel");
        if (name == "--status") options.status = bench::number<int>(value, "--status");
      });
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  bench::raise_descriptor_limit();
  const Options options = parse(argc, argv);
  Load load(options);
  load.warm_up();
  std::puts("ready");
  std::fflush(stdout);
  if (std::getchar() == EOF) return 0;
  if (options.seconds > 0 || options.requests != 0) {
    load.measure();
    load.report();
  }
  while (std::getchar() != EOF) {
  }
  return 0;
}
