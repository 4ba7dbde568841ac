#include "proxy/tunnel.h"

namespace weir::proxy {
namespace {
constexpr std::size_t kRead = 64 * 1024;
}

bool Tunnel::step(Direction& d) {
  bool moved = false;
  // A bounded number of rounds, so that one busy tunnel does not keep the others waiting.
  for (int round = 0; round < 8 && !d.failed; ++round) {
    if (d.held() > 0) {
      if (!d.to.writable()) break;
      const auto sent = d.to.write(std::string_view(d.tail).substr(d.sent));
      d.failed = sent.status == net::IoResult::Status::error;
      d.sent += sent.size;
      d.moved += sent.size;
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
    d.moved += sent.size;
    if (sent.size < bytes.size() && !d.failed) d.tail.assign(bytes.substr(sent.size));
  }
  return moved;
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
      wake = co_await waiter.wait(active + idle);
    }
    if (wake == net::Wake::cancelled) co_return Error{Errc::shutting_down, 0};
    if (wake == net::Wake::timeout) co_return Error{Errc::peer_read_timed_out, 0};
  }
}

}  // namespace weir::proxy
