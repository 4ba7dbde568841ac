#include "proxy/session.h"

#include "net/socket.h"
#include "proxy/exchange.h"
#include "proxy/http2_connection.h"
#include "proxy/worker.h"

namespace weir::proxy {
namespace {
// A client that pipelines answers of weir's own lets the others run once in a while.
constexpr std::uint32_t kYieldEvery = 32;
}  // namespace

Session::Session(Worker& worker, const std::string& listen_text, const IpAddress& peer,
                 std::uint64_t id)
    : worker_(worker),
      waiter_(worker.loop()),
      listen_text_(listen_text),
      peer_(peer),
      id_(id),
      opened_(worker.loop().now()) {
  worker_.add(*this);
}

Session::~Session() {
  if (stream_ != nullptr) return;
  if (idle_) worker_.idle_ends(*this);
  worker_.remove(*this);
}

void Session::start(std::unique_ptr<Session> session, int fd) {
  if (!session->client_.open(session->worker_.loop(), fd)) return;
  net::spawn(session.release()->run());
}

const ListenNode* Session::listen(const Runtime& runtime) {
  if (listen_ == nullptr || generation_ != runtime.generation) {
    listen_ = listen_in(runtime);
    generation_ = runtime.generation;
  }
  return listen_;
}

void Session::cancel() {
  waiter_.cancel();
  for (auto* waiter : beside_) waiter->cancel();
  if (http2_ != nullptr) http2_->cancel_streams();
}

const ListenNode* Session::listen_in(const Runtime& runtime) const {
  const auto* node = runtime.listen_of(listen_text_);
  return node != nullptr ? node : runtime.listen_covering(net::local_address(fd()));
}

void Session::drain(bool spare_fresh) {
  draining_ = true;
  if (http2_ != nullptr) return http2_->drain();
  // A request that has come, and that no event has told of yet, is served.
  if (!idle_ || client_.peek().ok()) return;
  const bool fresh = requests_ == 0 && worker_.loop().now() - opened_ < kFresh;
  if (fresh && spare_fresh) return;
  if (closable_ > worker_.loop().now()) {
    waiter_.notify();  // to wait no longer than that
  } else {
    cancel();
  }
}

net::Task<void> Session::run() {
  const std::unique_ptr<Session> self(this);
  const auto* first = listen(worker_.runtime()->get());
  Duration timeout{0};
  if (first != nullptr)
    timeout = first->hosts.default_server().root.config().request.client_header_timeout;
  if (first != nullptr && first->listen.proxy_protocol && !co_await read_proxied(timeout)) {
    co_return;
  }
  if (first != nullptr && (first = listen(worker_.runtime()->get())) != nullptr &&
      first->listen.ssl && !co_await begin_tls(*first)) {
    co_return;
  }
  const auto since = worker_.loop().now();
  head_until_ = since + timeout;
  if (first != nullptr && (first = listen(worker_.runtime()->get())) != nullptr &&
      may_ask_http2(*first)) {
    const auto asked = co_await asks_http2(since + timeout);
    if (asked == Asked::http2) co_return co_await run_http2(since);
    if (asked == Asked::nothing) co_return;
  }
  while (!waiter_.cancelled()) {
    const bool at_hand = !pending_.empty() || client_.readable();
    if (!at_hand && !co_await wait_for_request(timeout)) break;
    if (listen(worker_.runtime()->get()) == nullptr) break;  // a reload has removed the listener
    ++requests_;
    Exchange* exchange = worker_.take_exchange();
    const Afterwards after = co_await exchange->run(*this);
    worker_.give_exchange(exchange);
    head_until_ = TimePoint::max();
    if (after.reset) {
      client_.reset_on_close();
      break;
    }
    if (!after.keep || (draining_ && after.min_timeout.count() == 0)) {
      const bool unread = after.linger || client_.readable() || !pending_.empty();
      if (after.gone) break;
      co_await end_tls();
      if (unread && !after.never_linger) co_await linger(after);
      break;
    }
    timeout = after.idle_timeout;
    closable_ =
        after.min_timeout.count() > 0 ? worker_.loop().now() + after.min_timeout : TimePoint::min();
    if (!pending_.empty() && requests_ % kYieldEvery == 0) co_await waiter_.yield();
  }
}

net::Task<void> Session::run_explained(UniqueFd other, std::function<void()> done) {
  {
    const std::unique_ptr<Session> self(this);
    ++requests_;
    Exchange* exchange = worker_.take_exchange();
    co_await exchange->run(*this);
    worker_.give_exchange(exchange);
  }
  other.reset();
  done();
}

// False: the connection has ended, or what came is no PROXY protocol.
net::Task<bool> Session::read_proxied(Duration timeout) {
  const auto deadline = worker_.loop().now() + timeout;
  std::string bytes;
  for (;;) {
    if (client_.readable()) {
      const auto got = client_.read(worker_.scratch().data(), ProxiedAddresses::kMaxHeader);
      if (!got.ok() && !got.blocked()) co_return false;
      if (got.ok()) bytes.append(worker_.scratch().data(), got.size);
    }
    auto parsed = ProxiedAddresses::parse(bytes);
    if (parsed.status == ProxiedAddresses::Status::bad) {
      const std::string text = "broken header of the PROXY protocol";
      if (worker_.may_log(nullptr, LogLevel::error, text)) {
        worker_.log().write(LogLevel::error, text + ", client: " + peer_.host_text(), id_);
      }
      co_return false;
    }
    if (parsed.status == ProxiedAddresses::Status::complete) {
      proxied_ = std::make_unique<ProxiedAddresses>(std::move(parsed.addresses));
      pending_.assign(bytes, parsed.size);
      co_return true;
    }
    if (client_.readable()) continue;
    const net::Interest readable(client_.on_readable, waiter_);
    if (co_await waiter_.wait(deadline) != net::Wake::ready) co_return false;
  }
}

// False: the connection has ended, or has been idle for too long.
net::Task<bool> Session::wait_for_request(Duration timeout) {
  const auto deadline = worker_.loop().now() + timeout;
  // An idle connection keeps nothing of what was pipelined.
  if (pending_.capacity() > std::string().capacity()) std::string().swap(pending_);
  begin_idle();
  net::Wake wake = net::Wake::ready;
  while (!client_.readable() && wake == net::Wake::ready) {
    const auto until = draining_ ? std::min(deadline, closable_) : deadline;
    const net::Interest readable(client_.on_readable, waiter_);
    wake = co_await waiter_.wait(until);
  }
  end_idle();
  co_return wake == net::Wake::ready;
}

void Session::begin_idle() {
  idle_ = true;
  idle_since_ = worker_.loop().now();
  worker_.idle_begins(*this);
}

void Session::end_idle() {
  if (std::exchange(idle_, false)) worker_.idle_ends(*this);
}

// Closing at once while bytes of the client are on their way would reset the connection, and could
// take the answer with it: the write side is closed, the rest is read and dropped for a while.
net::Task<void> Session::linger(Afterwards after) {
  client_.shutdown_write();
  const auto end = worker_.loop().now() + after.lingering_time;
  for (;;) {
    while (client_.readable()) {
      const auto got = client_.read(worker_.scratch().data(), net::Scratch::kSize);
      if (got.blocked()) break;
      if (!got.ok()) co_return;
    }
    const auto deadline = std::min(end, worker_.loop().now() + after.lingering_timeout);
    const net::Interest readable(client_.on_readable, waiter_);
    if (co_await waiter_.wait(deadline) != net::Wake::ready) co_return;
    if (worker_.loop().now() >= end) co_return;
  }
}

}  // namespace weir::proxy
