#include "proxy/acceptor.h"

#include <sys/socket.h>

#include <cerrno>
#include <memory>

#include "proxy/worker.h"

namespace weir::proxy {
namespace {
constexpr int kBatch = 64;  // connections taken before the others run again
constexpr Duration kExhaustedPause{50};
constexpr int kLastCall = 4096;  // connections taken when there will be no later turn
}  // namespace

Acceptor::Acceptor(Worker& worker, const std::string& listen_text, net::ListenSocket socket)
    : worker_(worker),
      listen_text_(listen_text),
      socket_id_(socket.id),
      exclusive_(socket.exclusive),
      waiter_(worker.loop()) {
  socket_.open(worker.loop(), socket.fd.release());
}

void Acceptor::start(Acceptor& acceptor) { net::spawn(acceptor.run()); }

void Acceptor::stop(std::unique_ptr<Acceptor> acceptor) {
  acceptor->socket_.close_duplicate(acceptor->worker_.loop());
  acceptor->stopped_ = true;
  acceptor.release()->waiter_.cancel();
}

void Acceptor::empty(std::unique_ptr<Acceptor> acceptor) {
  acceptor->accept_waiting();
  stop(std::move(acceptor));
}

void Acceptor::last_call(std::unique_ptr<Acceptor> acceptor) {
  if (acceptor->exclusive_) net::refuse_new(acceptor->socket_.fd());
  acceptor->accept_waiting();
  if (acceptor->exclusive_) net::stop_listening(acceptor->socket_.fd());
  stop(std::move(acceptor));
}

void Acceptor::accept_waiting() {
  bool exhausted = false;
  for (int i = 0; i < kLastCall && accept_one(exhausted); ++i) {
  }
}

bool Acceptor::accept_one(bool& exhausted) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  const int fd = ::accept4(socket_.fd(), reinterpret_cast<sockaddr*>(&address), &size,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) {
    worker_.accepted(fd, listen_text_, IpAddress(reinterpret_cast<sockaddr*>(&address)));
    return true;
  }
  exhausted = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
  // Anything else (ECONNABORTED, network errors of the connection: accept(2)) concerns one client.
  return !exhausted && errno != EAGAIN && errno != EWOULDBLOCK && errno != EBADF && errno != EINVAL;
}

net::Task<void> Acceptor::run() {
  while (!stopped_) {
    bool more = true;
    bool exhausted = false;
    for (int i = 0; i < kBatch && more; ++i) more = accept_one(exhausted);
    if (more) {
      co_await waiter_.yield();
    } else if (exhausted) {
      // Without a free descriptor, whoever is idle makes room for whoever asks.
      worker_.mutable_stats().fd_exhausted.add();
      if (worker_.shed()) continue;
      co_await waiter_.wait(worker_.loop().now() + kExhaustedPause);
    } else {
      const net::Interest readable(socket_.on_readable, waiter_);
      co_await waiter_.wait(TimePoint::max());
    }
  }
  delete this;
}

}  // namespace weir::proxy
