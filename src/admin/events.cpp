#include "admin/events.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "admin/json_delta.h"

namespace weir::admin {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using ErrorCode = boost::system::error_code;
using Socket = asio::generic::stream_protocol::socket;
using Text = std::shared_ptr<const std::string>;

constexpr std::chrono::seconds kWriteTime{10};
constexpr Duration kBeat{1000};
constexpr std::size_t kLarge = 128 * 1024;  // bytes of the whole state: then the beat is slower
constexpr Duration kSlowBeat{2000};

}  // namespace

struct Events::Shared : std::enable_shared_from_this<Shared> {
  Shared(asio::io_context& io, Parts parts_) : parts(std::move(parts_)), timer(io) {}

  void beat_later();
  void beat();
  [[nodiscard]] json::object message() const;
  [[nodiscard]] Text whole_state();

  Parts parts;
  asio::steady_timer timer;
  std::vector<std::shared_ptr<Watcher>> watchers;
  json::value state;  // as told last; null: to nobody
  Text whole;         // `state` as a message; null: not made yet
  Duration wait = kBeat;
  bool running = false;
};

// One who watches. Its own operations and Shared hold it.
class Events::Watcher : public std::enable_shared_from_this<Watcher> {
 public:
  Watcher(Shared& shared, Socket socket)
      : shared_(shared.weak_from_this()),
        socket_(std::move(socket)),
        timer_(shared.timer.get_executor()) {}

  void start(const std::string& head, const Text& state) {
    watch_end();
    write(std::make_shared<const std::string>(head + *state));
  }
  // The next message, or, to one who is behind, nothing: it gets the state when it has caught up.
  void send(const Text& text) {
    if (writing_) {
      behind_ = true;
      return;
    }
    write(text);
  }
  void close() {
    ErrorCode ignored;
    timer_.cancel();
    socket_.close(ignored);
    if (const auto shared = shared_.lock()) {
      std::erase_if(shared->watchers, [&](const auto& one) { return one.get() == this; });
    }
  }

 private:
  void write(Text text) {
    writing_ = true;
    timer_.expires_after(kWriteTime);
    timer_.async_wait([self = shared_from_this()](const ErrorCode& error) {
      if (!error && self->writing_) self->close();
    });
    const auto buffer = asio::buffer(*text);
    asio::async_write(socket_, buffer,
                      [self = shared_from_this(), text = std::move(text)](
                          const ErrorCode& error, std::size_t) { self->on_written(error); });
  }
  void on_written(const ErrorCode& error) {
    writing_ = false;
    timer_.cancel();
    if (error) return close();
    const auto shared = shared_.lock();
    if (shared != nullptr && std::exchange(behind_, false)) write(shared->whole_state());
  }
  // Whatever it sends is dropped; that it is gone shows here.
  void watch_end() {
    socket_.async_read_some(asio::buffer(dropped_),
                            [self = shared_from_this()](const ErrorCode& error, std::size_t) {
                              if (error) return self->close();
                              self->watch_end();
                            });
  }

  std::weak_ptr<Shared> shared_;
  Socket socket_;
  asio::steady_timer timer_;
  std::array<char, 256> dropped_{};
  bool writing_ = false;
  bool behind_ = false;
};

json::object Events::Shared::message() const {
  const auto wall = parts.clock->wall().time_since_epoch();
  return {{"at", static_cast<double>(wall.count()) / 1000}, {"beat_ms", wait.count()}};
}

Text Events::Shared::whole_state() {
  if (whole == nullptr) {
    auto out = message();
    out["state"] = state;
    whole = std::make_shared<const std::string>(event_text("state", out));
    wait = whole->size() > kLarge ? kSlowBeat : kBeat;
  }
  return whole;
}

void Events::Shared::beat_later() {
  running = true;
  timer.expires_after(wait);
  timer.async_wait([self = shared_from_this()](const ErrorCode& error) {
    if (!error) self->beat();
  });
}

void Events::Shared::beat() {
  running = false;
  if (watchers.empty()) {
    state = nullptr;
    whole = nullptr;
    return;
  }
  auto now = parts.state();
  auto out = message();
  if (auto change = delta(state, now); !change.is_null()) {
    out["change"] = std::move(change);
    state = std::move(now);
    whole = nullptr;
  }
  const auto text = std::make_shared<const std::string>(event_text("change", out));
  const auto all = watchers;  // one that closes takes itself out
  for (const auto& watcher : all) watcher->send(text);
  beat_later();
}

Events::Events(asio::io_context& io, Parts parts)
    : shared_(std::make_shared<Shared>(io, std::move(parts))) {}

Events::~Events() { close(); }

bool Events::full() const { return shared_->watchers.size() >= kMost; }

void Events::add(Socket socket, std::string head) {
  if (shared_->state.is_null()) shared_->state = shared_->parts.state();
  auto watcher = std::make_shared<Watcher>(*shared_, std::move(socket));
  shared_->watchers.push_back(watcher);
  watcher->start(head, shared_->whole_state());
  if (!shared_->running) shared_->beat_later();
}

void Events::close() {
  shared_->timer.cancel();
  shared_->parts.state = [] { return json::value(); };
  const auto all = std::exchange(shared_->watchers, {});
  for (const auto& watcher : all) watcher->close();
}

std::string event_text(std::string_view name, const json::value& data) {
  return "event: " + std::string(name) + "\ndata: " + json::serialize(data) + "\n\n";
}

}  // namespace weir::admin
