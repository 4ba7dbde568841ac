// Bytes both ways between a client and its peer: back-pressure, rates, half-closes, time-outs.
#include <algorithm>
#include <cerrno>

#include "stream/tcp_session.h"

namespace weir::stream {
namespace {

// Reads before the others have their turn.
constexpr int kRounds = 8;
// How long a client may go on sending what nobody reads, so that it gets what it was sent last.
constexpr Duration kLinger{5000};

}  // namespace

// How much may be read now; 0: nothing before Direction::next.
std::size_t TcpSession::room(Direction& d) const {
  const auto most = static_cast<std::size_t>(
      std::clamp<std::uint64_t>(config().options.proxy_buffer_size, 1, net::Scratch::kSize));
  if (d.rate == 0) return most;
  const auto now = worker().loop().now();
  if (now < d.next) return 0;
  const auto passed = static_cast<std::uint64_t>((now - relay_began_).count()) / 1000 + 1;
  const auto allowed = d.rate * passed;
  if (allowed > d.read) {
    return static_cast<std::size_t>(std::min<std::uint64_t>(most, allowed - d.read));
  }
  d.next = now + Duration((d.read - allowed) * 1000 / d.rate + 1);
  return 0;
}

// `other`: the end that is whole. It is to know that this was no proper end.
void TcpSession::broke(Direction& d, net::Descriptor& other) {
  other.reset_on_close();
  d.failed = true;
}

// `to` takes no more, but may have sent something before it went, which is still to be passed on.
void TcpSession::cut(Direction& d, const net::IoResult& sent) {
  std::string().swap(d.tail);
  d.sent = 0;
  d.ended = d.cut = true;
  // EPIPE: it has finished in order, and closed then.
  d.reset = sent.error != EPIPE;
}

void TcpSession::moved(const Direction& d, std::size_t read, std::size_t written) {
  if (&d == &up_) {
    count_received(read);
    attempt().sent += written;
  } else {
    if (read > 0) peer_answered(read);
    count_sent(written);
  }
}

// Moves what can be moved; true if anything was.
bool TcpSession::step(Direction& d) {
  bool any = false;
  for (int round = 0; round < kRounds && !d.failed; ++round) {
    if (d.held() > 0) {
      if (!d.to.writable()) break;
      const auto sent = d.to.write(std::string_view(d.tail).substr(d.sent));
      moved(d, 0, sent.size);
      if (sent.status == net::IoResult::Status::error) {
        cut(d, sent);
        break;
      }
      d.sent += sent.size;
      any = any || sent.size > 0;
      if (d.held() > 0) break;
      std::string().swap(d.tail);  // an idle connection holds no buffer
      d.sent = 0;
    }
    if (d.ended || !d.from.readable()) break;
    const auto size = room(d);
    if (size == 0) break;
    const auto got = d.from.read(worker().scratch().data(), size);
    if (got.blocked()) break;
    if (got.status == net::IoResult::Status::error) {
      broke(d, d.to);
      break;
    }
    if (got.status == net::IoResult::Status::eof) {
      d.ended = true;
      break;
    }
    any = true;
    d.read += got.size;
    if (d.rate > 0) d.next = worker().loop().now() + Duration(got.size * 1000 / d.rate);
    const std::string_view bytes(worker().scratch().data(), got.size);
    const auto sent = d.to.write(bytes);
    moved(d, got.size, sent.size);
    if (sent.status == net::IoResult::Status::error) {
      cut(d, sent);
    } else if (sent.size < bytes.size()) {
      d.tail.assign(bytes.substr(sent.size));
    }
  }
  return any;
}

std::optional<TcpSession::End> TcpSession::ending(const proxy::PeerWatch& watch) {
  // The client is gone while nothing is read of it, because the peer takes no more.
  if (up_.held() > 0 && client_.broken() && !down_.ended) broke(up_, peer_);
  if (down_.over() && up_.over()) {
    if (up_.reset) broke(down_, client_);
    if (down_.reset) broke(up_, peer_);
  }
  if (down_.failed || up_.failed) return End::failed;
  // The end of one is the end of all, unless half-closes are passed on.
  const bool half = config().options.proxy_half_close;
  if (down_.over() && (up_.over() || (!half && !down_.cut))) return End::peer;
  if (up_.over() && !half && !up_.cut) return End::client;
  for (auto* d : {&down_, &up_}) {
    if (d->over() && !d->told && !d->cut) {
      d->told = true;
      d->to.shutdown_write();
    }
    // One that has finished sending can still go altogether.
    if (d->told && d->from.broken()) return d == &up_ ? End::client : End::peer;
  }
  // Nobody answers there any more, or an operator wants the peer back.
  if (watch.gone() || watch.out_of_service()) return End::left;
  return std::nullopt;
}

net::Task<TcpSession::End> TcpSession::relay(const proxy::PeerWatch& watch) {
  auto& loop = worker().loop();
  const auto& options = config().options;
  relay_began_ = loop.now();
  up_.rate = rate_of(options.proxy_upload_rate);
  down_.rate = rate_of(options.proxy_download_rate);
  up_.read = early_.size();
  up_.tail = std::exchange(early_, {});
  auto active = loop.now();
  for (;;) {
    const bool down_moved = step(down_);
    const bool up_moved = step(up_);
    if (down_moved || up_moved) active = loop.now();
    if (const auto end = ending(watch)) co_return *end;
    TimePoint until = active + options.proxy_timeout;
    bool more = false;
    bool delayed = false;
    for (const auto* d : {&down_, &up_}) {
      if (d->held() > 0 || d->ended || !d->from.readable()) continue;
      const bool later = d->next > loop.now();
      more = more || !later;
      if (later) until = delayed ? std::min(until, d->next) : d->next;
      delayed = delayed || later;
    }
    net::Wake wake;
    if (more) {
      wake = co_await waiter().yield();
    } else {
      const net::Interest a(down_.from.on_readable, waiter());
      const net::Interest b(down_.to.on_writable, waiter());
      const net::Interest c(up_.from.on_readable, waiter());
      const net::Interest e(up_.to.on_writable, waiter());
      wake = co_await waiter().wait(until);
    }
    if (wake == net::Wake::cancelled) co_return End::cancelled;
    if (wake == net::Wake::timeout && !delayed) co_return End::timed_out;
  }
}

void TcpSession::conclude(End end) {
  switch (end) {
    case End::client:
      return log(LogLevel::info, "client disconnected");
    case End::peer:
      return log(LogLevel::info, "upstream disconnected");
    case End::failed:
      return log(LogLevel::info, "connection failed or was reset");
    case End::timed_out:
      return log(LogLevel::info, "connection timed out (110: Connection timed out)");
    case End::left:
      client_.reset_on_close();
      down_.failed = true;
      return log(LogLevel::warn, "the peer is out of service: the connection is ended");
    case End::cancelled:
      return log(LogLevel::info, "disconnected on shutdown");
  }
}

// Closing a connection that has unread bytes resets it, and may take with it what the client was
// sent last: the write side is closed, and what still comes is dropped for a while.
net::Task<void> TcpSession::linger() {
  if (down_.failed || up_.failed || !client_.readable() || client_.broken()) co_return;
  if (!client_.peek().ok()) co_return;
  client_.shutdown_write();
  const auto deadline = worker().loop().now() + kLinger;
  for (;;) {
    while (client_.readable()) {
      const auto got = client_.read(worker().scratch().data(), net::Scratch::kSize);
      if (got.blocked()) break;
      if (!got.ok()) co_return;
      if (worker().loop().now() >= deadline) co_return;
      if ((co_await waiter().yield()) == net::Wake::cancelled) co_return;
    }
    const net::Interest readable(client_.on_readable, waiter());
    if (co_await waiter().wait(deadline) != net::Wake::ready) co_return;
  }
}

}  // namespace weir::stream
