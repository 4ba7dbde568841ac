#include "proxy/acceptor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <memory>

#include "proxy/worker.h"

namespace weir::proxy {
namespace {
constexpr int kBatch = 64;  // connections taken before the others run again
constexpr Duration kExhaustedPause{20};
// Whoever has just connected, or has just had an answer, is likely to have a request on its way,
// and keeps its place for so long where descriptors are scarce.
constexpr Duration kIdleToMakeRoom{50};
constexpr int kLastCall = 4096;  // connections taken when there will be no later turn

// If clients took all descriptors, none of them could be served: connections to peers, look-ups of
// names, logs and operators need some, too. The lowest free number is given, so that a number shows
// how many there are.
int limit_for_clients() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > INT_MAX) return INT_MAX;
  const auto all = static_cast<int>(limit.rlim_cur);
  return all - std::max(all / 32, 4);
}
}  // namespace

Acceptor::Acceptor(Worker& worker, const std::string& listen_text, net::ListenSocket socket)
    : worker_(worker),
      listen_text_(listen_text),
      socket_id_(socket.id),
      exclusive_(socket.exclusive),
      waiter_(worker.loop()),
      limit_(limit_for_clients()) {
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
  for (int i = 0; i < kLastCall && accept_one(); ++i) {
  }
}

bool Acceptor::still_scarce() const {
  const int lowest = ::fcntl(socket_.fd(), F_DUPFD_CLOEXEC, 0);
  if (lowest >= 0) ::close(lowest);
  return lowest < 0 || lowest >= limit_;
}

bool Acceptor::somebody_waits() const {
  pollfd listening{.fd = socket_.fd(), .events = POLLIN, .revents = 0};
  return ::poll(&listening, 1, 0) > 0;
}

bool Acceptor::accept_one() {
  if (scarce_ && still_scarce()) return false;
  scarce_ = false;
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  const int fd = ::accept4(socket_.fd(), reinterpret_cast<sockaddr*>(&address), &size,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) {
    scarce_ = fd >= limit_;
    worker_.accepted(fd, listen_text_, IpAddress(reinterpret_cast<sockaddr*>(&address)));
    return !scarce_;
  }
  scarce_ = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
  // Anything else (ECONNABORTED, network errors of the connection: accept(2)) concerns one client.
  return !scarce_ && errno != EAGAIN && errno != EWOULDBLOCK && errno != EBADF && errno != EINVAL;
}

net::Task<void> Acceptor::run() {
  while (!stopped_) {
    bool more = true;
    for (int i = 0; i < kBatch && more; ++i) more = accept_one();
    if (more) {
      co_await waiter_.yield();
    } else if (scarce_ && somebody_waits()) {
      // Whoever is idle makes room for whoever asks.
      worker_.mutable_stats().fd_exhausted.add();
      if (worker_.shed(kIdleToMakeRoom)) continue;
      co_await waiter_.wait(worker_.loop().now() + kExhaustedPause);
    } else {
      const net::Interest readable(socket_.on_readable, waiter_);
      co_await waiter_.wait(TimePoint::max());
    }
  }
  delete this;
}

}  // namespace weir::proxy
