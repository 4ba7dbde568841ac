#include "proxy/session.h"

#include "proxy/exchange.h"
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
  if (idle_) worker_.idle_ends(*this);
  worker_.remove(*this);
}

void Session::start(std::unique_ptr<Session> session, int fd) {
  if (!session->client_.open(session->worker_.loop(), fd)) return;
  net::spawn(session.release()->run());
}

const ListenNode* Session::listen(const Runtime& runtime) {
  if (listen_ == nullptr || generation_ != runtime.generation) {
    listen_ = runtime.listen_of(listen_text_);
    generation_ = runtime.generation;
  }
  return listen_;
}

void Session::drain() {
  draining_ = true;
  if (idle_) cancel();
}

net::Task<void> Session::run() {
  const std::unique_ptr<Session> self(this);
  const auto* first = listen(worker_.runtime()->get());
  Duration timeout{0};
  if (first != nullptr) timeout = first->hosts.default_server().config->client_header_timeout;
  while (!waiter_.cancelled()) {
    const bool at_hand = !pending_.empty() || client_.readable();
    if (!at_hand && !co_await wait_for_request(timeout)) break;
    if (listen(worker_.runtime()->get()) == nullptr) break;  // a reload has removed the listener
    ++requests_;
    Exchange* exchange = worker_.take_exchange();
    const Afterwards after = co_await exchange->run(*this);
    worker_.give_exchange(exchange);
    if (after.reset) {
      client_.reset_on_close();
      break;
    }
    if (!after.keep || draining_) {
      const bool unread = after.linger || client_.readable() || !pending_.empty();
      if (unread && !after.gone) co_await linger(after);
      break;
    }
    timeout = after.idle_timeout;
    if (!pending_.empty() && requests_ % kYieldEvery == 0) co_await waiter_.yield();
  }
}

// False: the connection has ended, or has been idle for too long.
net::Task<bool> Session::wait_for_request(Duration timeout) {
  const auto deadline = worker_.loop().now() + timeout;
  // An idle connection keeps nothing of what was pipelined.
  if (pending_.capacity() > std::string().capacity()) std::string().swap(pending_);
  idle_ = true;
  worker_.idle_begins(*this);
  net::Wake wake = net::Wake::ready;
  while (!client_.readable() && wake == net::Wake::ready) {
    const net::Interest readable(client_.on_readable, waiter_);
    wake = co_await waiter_.wait(deadline);
  }
  worker_.idle_ends(*this);
  idle_ = false;
  co_return wake == net::Wake::ready;
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
