#include "stream/udp_session.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace weir::stream {
namespace {

// Of a client whose datagrams cannot go on yet: more are dropped.
constexpr std::size_t kMostWaiting = 256;
constexpr std::size_t kMostWaitingBytes = 256 * 1024;
constexpr int kBatch = 32;
constexpr std::size_t kLargest = 65536;

Duration pause_of(std::size_t bytes, std::uint64_t rate) {
  return rate == 0 ? Duration{0} : Duration(bytes * 1000 / rate);
}

}  // namespace

UdpSession::UdpSession(proxy::Worker& worker, std::shared_ptr<UdpPort> port,
                       const UdpPort::Way& way)
    : Session(worker, Origin{port->listen_text(), way.client.unmapped(), way.local.unmapped(),
                             worker.next_connection_id(), true}),
      port_(std::move(port)),
      way_(way),
      active_(worker.loop().now()) {
  worker.mutable_stats().accepted.add();
}

UdpSession* UdpSession::make(proxy::Worker& worker, std::shared_ptr<UdpPort> port,
                             const UdpPort::Way& way) {
  return new UdpSession(worker, std::move(port), way);
}

void UdpSession::start(std::string_view bytes) {
  deliver(bytes);
  net::spawn(run());
}

net::Task<void> UdpSession::run() {
  const std::unique_ptr<UdpSession> self(this);
  log(LogLevel::info, "client connected");
  finish(co_await serve());
  port_->forget(way_, *this);
  port_->ended(*this);
}

void UdpSession::deliver(std::string_view bytes) {
  if (waiting_.size() >= kMostWaiting || waiting_bytes_ + bytes.size() > kMostWaitingBytes) return;
  ++requests_;
  count_received(bytes.size());
  waiting_.emplace_back(bytes);
  waiting_bytes_ += bytes.size();
  // The next one is for another session: this one goes on for its answers.
  const auto most = config().options.proxy_requests;
  if (most > 0 && requests_ >= most) port_->forget(way_, *this);
  active_ = worker().loop().now();
  port_->moved(place_, false);
  if (relays_) waiter().notify();
}

void UdpSession::make_way() {
  makes_way_ = true;
  port_->forget(way_, *this);
  peer_.close();
  cancel();
}

net::Task<int> UdpSession::serve() {
  if (const int status = admit(); status != kGoesOn) co_return status;
  if (config().answer) {
    const auto text = text_of(*config().answer);
    if (port_->send(way_, text)) count_sent(text.size());
    co_return kOk;
  }
  int status = co_await choose_pool();
  if (status == kGoesOn) status = co_await pass_on();
  co_return status;
}

net::Task<int> UdpSession::pass_on() {
  begin_tries();
  for (;;) {
    if (waiter().cancelled()) co_return kOk;
    auto* peer = pick();
    if (peer == nullptr) co_return kBadGateway;
    const Error error = connect(*peer);
    if (error.ok()) {
      peer_connected();
      log(LogLevel::info, "connected to upstream");
      const proxy::PeerWatch watch(worker().watches(), *peer, waiter());
      co_return co_await relay(watch);
    }
    peer_.close();
    if (!try_again(error)) co_return kBadGateway;
  }
}

Error UdpSession::connect(const upstream::Peer& peer) {
  if (peer.spec.endpoint.is_unix()) return {Errc::connect_failed, EPROTOTYPE};
  net::ConnectOptions options;
  if (const Error error = connect_options(options); !error.ok()) return error;
  const auto& to = peer.spec.endpoint.ip;
  int fd = net::open_datagram(to, options);
  int sys = errno;
  if (fd < 0 && (sys == EMFILE || sys == ENFILE) && port_->free_descriptor(*this)) {
    fd = net::open_datagram(to, options);
    sys = errno;
  }
  if (fd < 0 && (sys == EMFILE || sys == ENFILE || sys == ENOBUFS || sys == ENOMEM)) {
    return {Errc::local_resources, sys};
  }
  if (fd < 0) return {Errc::connect_failed, sys};
  if (!peer_.open(worker().loop(), fd)) return {Errc::local_resources, errno};
  return {};
}

bool UdpSession::has_all_responses() const {
  const auto& responses = config().options.proxy_responses;
  return !responses || responses_ >= *responses * requests_;
}

// nginx: as many datagrams as `proxy_requests` and `proxy_responses` say have been passed on.
bool UdpSession::complete() const {
  const auto& options = config().options;
  if (!options.proxy_responses || !waiting_.empty()) return false;
  if (options.proxy_requests > 0 && requests_ < options.proxy_requests) return false;
  return has_all_responses();
}

// False: nobody is there.
bool UdpSession::send_waiting() {
  const auto now = worker().loop().now();
  while (!waiting_.empty() && now >= next_send_) {
    const auto& first = waiting_.front();
    const auto n = ::send(peer_.fd(), first.data(), first.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EMSGSIZE) {
      attempt().error = {Errc::connect_failed, errno};
      return false;
    }
    // What there is no room for is lost, as with any datagram.
    if (n >= 0) attempt().sent += first.size();
    next_send_ = now + pause_of(first.size(), upload_rate_);
    waiting_bytes_ -= first.size();
    waiting_.pop_front();
  }
  return true;
}

bool UdpSession::receive(bool& more) {
  const auto now = worker().loop().now();
  more = false;
  for (int i = 0; i < kBatch && now >= next_receive_; ++i) {
    const auto n = ::recv(peer_.fd(), worker().scratch().data(), kLargest, MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return true;
    if (n < 0) {
      attempt().error = {Errc::connect_failed, errno};
      return false;
    }
    const auto size = static_cast<std::size_t>(n);
    ++responses_;
    active_ = now;
    port_->moved(place_, true);
    peer_answered(size);
    if (port_->send(way_, {worker().scratch().data(), size})) count_sent(size);
    next_receive_ = now + pause_of(size, download_rate_);
    if (complete()) return true;
  }
  more = now >= next_receive_;
  return true;
}

net::Task<int> UdpSession::relay(const proxy::PeerWatch& watch) {
  const auto& options = config().options;
  auto& loop = worker().loop();
  relays_ = true;
  upload_rate_ = rate_of(options.proxy_upload_rate);
  download_rate_ = rate_of(options.proxy_download_rate);
  for (;;) {
    bool more = false;
    if (!send_waiting() || !receive(more)) {
      log(LogLevel::error, "upstream does not take datagrams " +
                               net::errno_text(attempt().error.sys) + " while proxying");
      end_attempt(upstream::Outcome::failure);
      co_return kBadGateway;
    }
    if (complete()) {
      log(LogLevel::info, "udp done");
      break;
    }
    if (watch.gone() || watch.out_of_service()) {
      log(LogLevel::warn, "the peer is out of service: the session is ended");
      break;
    }
    TimePoint until = active_ + options.proxy_timeout;
    const auto now = loop.now();
    if (!waiting_.empty()) until = std::min(until, next_send_);
    if (next_receive_ > now) until = std::min(until, next_receive_);
    net::Wake wake;
    if (more) {
      wake = co_await waiter().yield();
    } else {
      const net::Interest readable(peer_.on_readable, waiter());
      wake = co_await waiter().wait(until);
    }
    if (wake == net::Wake::cancelled) {
      log(LogLevel::info, makes_way_ ? "ended, for further clients" : "disconnected on shutdown");
      break;
    }
    if (wake != net::Wake::timeout || loop.now() < active_ + options.proxy_timeout) continue;
    if (has_all_responses()) {
      log(LogLevel::info, "udp timed out");
      break;
    }
    attempt().error = {Errc::peer_read_timed_out, ETIMEDOUT};
    log(LogLevel::error, "upstream timed out " + net::errno_text(ETIMEDOUT) + " while proxying");
    end_attempt(upstream::Outcome::failure);
    co_return kBadGateway;
  }
  end_attempt(upstream::Outcome::success);
  co_return kOk;
}

}  // namespace weir::stream
