#include "proxy/tunnel.h"

#include <algorithm>

namespace weir::proxy {
namespace {
constexpr std::size_t kRead = 64 * 1024;
// How long an end has to answer a close frame, or a frame to become complete.
constexpr Duration kFarewell{2000};
}  // namespace

bool Tunnel::flush(Direction& d) {
  if (d.held() == 0 || d.failed || !d.to.writable()) return false;
  const auto sent = d.to.write(std::string_view(d.tail).substr(d.sent));
  d.failed = d.refused = sent.status == net::IoResult::Status::error;
  note(d, std::string_view(d.tail).substr(d.sent, sent.size));
  d.sent += sent.size;
  if (d.held() == 0) {
    // An idle tunnel holds no buffer.
    std::string().swap(d.tail);
    d.sent = 0;
  }
  return sent.size > 0;
}

bool Tunnel::step(Direction& d) {
  bool moved = false;
  // A bounded number of rounds, so that one busy tunnel does not keep the others waiting.
  for (int round = 0; round < 8 && !d.failed; ++round) {
    moved = flush(d) || moved;
    if (d.held() > 0 || d.failed) break;
    if (d.ended || !d.from.readable()) break;
    const auto got = d.from.read(scratch_.data(), kRead);
    if (got.blocked()) break;
    if (got.status == net::IoResult::Status::error) {
      d.failed = true;
      break;
    }
    if (got.status == net::IoResult::Status::eof) {
      d.ended = true;
      d.to.shutdown_write();
      break;
    }
    moved = true;
    const std::string_view bytes(scratch_.data(), got.size);
    const auto sent = d.to.write(bytes);
    d.failed = d.refused = sent.status == net::IoResult::Status::error;
    note(d, bytes.substr(0, sent.size));
    if (sent.size < bytes.size() && !d.failed) d.tail.assign(bytes.substr(sent.size));
  }
  return moved;
}

TimePoint Tunnel::leaves_at() {
  if (options_.watch == nullptr) return TimePoint::max();
  const auto& watch = *options_.watch;
  const bool leaving = watch.leaving() || watch.gone() || (watch.draining() && !options_.bound);
  if (!leaving) {
    leaves_at_ = TimePoint::max();  // it came back in time
  } else if (leaves_at_ == TimePoint::max()) {
    leaves_at_ = loop_.now() + options_.leave_after;
  }
  return leaves_at_;
}

// Says 1012 to both ends between two frames, then waits for the client to go. What the peer still
// sends is dropped from there on.
net::Task<Error> Tunnel::leave(net::Waiter& waiter) {
  const auto deadline = loop_.now() + kFarewell;
  const auto whole = [](const Direction& d) { return d.held() == 0 && d.frames.at_boundary(); };
  bool said = !options_.websocket;
  while (!said && loop_.now() < deadline) {
    step(down_);
    step(up_);
    if (down_.failed || down_.ended) break;
    if (whole(down_)) {
      down_.tail.assign(http::WebsocketFrames::kRestartToClient);
      said = true;
      break;
    }
    net::Wake wake;
    if (down_.held() == 0 && down_.from.readable()) {
      wake = co_await waiter.yield();
    } else {
      const net::Interest a(down_.from.on_readable, waiter);
      const net::Interest b(down_.to.on_writable, waiter);
      wake = co_await waiter.wait(deadline);
    }
    if (wake == net::Wake::cancelled) co_return Error{Errc::shutting_down, 0};
  }
  if (options_.websocket && whole(up_) && !up_.failed && !up_.ended) {
    static_cast<void>(up_.to.write(http::WebsocketFrames::kRestartToServer));
  }
  // A client that is slow has until then to make room for it.
  for (flush(down_); down_.held() > 0 && !down_.failed; flush(down_)) {
    const net::Interest room(down_.to.on_writable, waiter);
    const auto wake = co_await waiter.wait(deadline);
    if (wake == net::Wake::cancelled) co_return Error{Errc::shutting_down, 0};
    if (wake == net::Wake::timeout) co_return Error{};
  }
  down_.to.shutdown_write();
  while (said && options_.websocket && !up_.ended && loop_.now() < deadline) {
    const auto got = up_.from.read(scratch_.data(), kRead);
    if (!got.ok() && !got.blocked()) break;
    net::Wake wake;
    if (got.ok()) {
      wake = co_await waiter.yield();
    } else {
      const net::Interest a(up_.from.on_readable, waiter);
      wake = co_await waiter.wait(deadline);
    }
    if (wake == net::Wake::cancelled) co_return Error{Errc::shutting_down, 0};
  }
  co_return Error{};
}

net::Task<Error> Tunnel::run(net::Waiter& waiter, Duration idle) {
  auto active = loop_.now();
  for (;;) {
    const bool down_moved = step(down_);
    const bool up_moved = step(up_);
    if (down_moved || up_moved) active = loop_.now();
    // What a peer has said before it went is still the client's.
    if (up_.refused) up_.ended = true;
    if (down_.failed || (up_.failed && !up_.refused)) co_return Error{};
    if (down_.ended && up_.ended) co_return Error{};
    // One that has finished sending can still go altogether.
    if ((down_.ended && down_.from.broken()) || (up_.ended && up_.from.broken())) co_return Error{};
    const auto leaves_at = this->leaves_at();
    if (loop_.now() >= leaves_at) co_return co_await leave(waiter);
    const bool more_down = down_.held() == 0 && !down_.ended && down_.from.readable();
    const bool more_up = up_.held() == 0 && !up_.ended && up_.from.readable();
    net::Wake wake;
    if (more_down || more_up) {
      wake = co_await waiter.yield();
    } else {
      const net::Interest a(down_.from.on_readable, waiter);
      const net::Interest b(down_.to.on_writable, waiter);
      const net::Interest c(up_.from.on_readable, waiter);
      const net::Interest d(up_.to.on_writable, waiter);
      wake = co_await waiter.wait(std::min(active + idle, leaves_at));
    }
    if (wake == net::Wake::cancelled) co_return Error{Errc::shutting_down, 0};
    if (wake == net::Wake::timeout && loop_.now() >= active + idle) {
      co_return Error{Errc::peer_read_timed_out, 0};
    }
  }
}

}  // namespace weir::proxy
