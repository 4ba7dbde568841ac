#include "proxy/tunnel.h"

#include <algorithm>

namespace weir::proxy {
namespace {
constexpr std::size_t kRead = 64 * 1024;
// How long an end has to answer a close frame, or a frame to become complete.
constexpr Duration kFarewell{2000};
}  // namespace

bool Tunnel::step(Direction& d) {
  bool moved = false;
  // A bounded number of rounds, so that one busy tunnel does not keep the others waiting.
  for (int round = 0; round < 8 && !d.failed; ++round) {
    if (d.held() > 0) {
      if (!d.to.writable()) break;
      const auto sent = d.to.write(std::string_view(d.tail).substr(d.sent));
      d.failed = sent.status == net::IoResult::Status::error;
      note(d, std::string_view(d.tail).substr(d.sent, sent.size));
      d.sent += sent.size;
      moved = moved || sent.size > 0;
      if (d.held() > 0) break;
      // An idle tunnel holds no buffer.
      std::string().swap(d.tail);
      d.sent = 0;
    }
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
    d.failed = sent.status == net::IoResult::Status::error;
    note(d, bytes.substr(0, sent.size));
    if (sent.size < bytes.size() && !d.failed) d.tail.assign(bytes.substr(sent.size));
  }
  return moved;
}

TimePoint Tunnel::leaves_at() {
  if (options_.watch == nullptr) return TimePoint::max();
  const bool leaving = options_.watch->leaving() || options_.watch->gone();
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
      const auto sent = down_.to.write(http::WebsocketFrames::kRestartToClient);
      said = sent.ok() && sent.size == http::WebsocketFrames::kRestartToClient.size();
      break;
    }
    const net::Interest a(down_.from.on_readable, waiter);
    const net::Interest b(down_.to.on_writable, waiter);
    const auto wake = co_await waiter.wait(deadline);
    if (wake == net::Wake::cancelled) co_return Error{Errc::shutting_down, 0};
  }
  if (options_.websocket && whole(up_) && !up_.failed && !up_.ended) {
    static_cast<void>(up_.to.write(http::WebsocketFrames::kRestartToServer));
  }
  down_.to.shutdown_write();
  while (said && options_.websocket && !up_.ended && loop_.now() < deadline) {
    const auto got = up_.from.read(scratch_.data(), kRead);
    if (got.ok()) continue;
    if (!got.blocked()) break;
    const net::Interest a(up_.from.on_readable, waiter);
    const auto wake = co_await waiter.wait(deadline);
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
    if (down_.failed || up_.failed || (down_.ended && up_.ended)) co_return Error{};
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
