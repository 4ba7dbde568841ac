#include "net/loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstdlib>
#include <new>
#include <system_error>
#include <utility>

#include "net/layer.h"
#include "net/tls_stream.h"

namespace weir::net {

// ---- Waiter
// --------------------------------------------------------------------------------------

Waiter::Waiter(Loop& loop) : loop_(loop) { timer_.waiter = this; }

Waiter::~Waiter() {
  if (queued_) loop_.dequeue(*this);
}

void Waiter::Awaiter::await_suspend(std::coroutine_handle<> handle) {
  waiter.handle_ = handle;
  waiter.waiting_ = true;
  if (deadline == TimePoint::max()) {
    waiter.timer_.disarm();
  } else {
    waiter.loop_.wheel_.arm(waiter.timer_, deadline);
  }
}

Waiter::Awaiter Waiter::yield() {
  wake_ = Wake::ready;
  // A cancelled waiter does not suspend: nothing may be left in the queue for it.
  if (!queued_ && !cancelled_) loop_.enqueue(*this);
  return {*this, TimePoint::max()};
}

void Waiter::on_timeout(TimerWheel::Timer& timer) {
  static_cast<Timeout&>(timer).waiter->wake(Wake::timeout);
}

void Waiter::wake(Wake why) {
  if (!waiting_ || queued_) return;
  wake_ = why;
  loop_.enqueue(*this);
}

void Waiter::cancel() {
  if (cancelled_) return;
  cancelled_ = true;
  if (waiting_ && !queued_) loop_.enqueue(*this);
}

// ---- Descriptor
// ----------------------------------------------------------------------------------

bool Descriptor::open(Loop& loop, int fd) {
  fd_ = fd;
  readable_ = hung_up_ = broken_ = urgent_ = false;
  writable_ = true;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = this;
  if (::epoll_ctl(loop.epoll_, EPOLL_CTL_ADD, fd, &event) == 0) return true;
  const int error = errno;
  close();
  errno = error;
  return false;
}

void Descriptor::close() {
  if (fd_ < 0) return;
  if (tls_ != nullptr) {
    tls_->end_writing();
    layer_ = nullptr;
    tls_.reset();
  }
  ::close(fd_);
  fd_ = -1;
}

void Descriptor::close_duplicate(Loop& loop) {
  if (fd_ >= 0) ::epoll_ctl(loop.epoll_, EPOLL_CTL_DEL, fd_, nullptr);
  close();
}

void Descriptor::open_layer(Layer& layer) {
  layer_ = &layer;
  readable_ = hung_up_ = broken_ = urgent_ = false;
  writable_ = true;
}

void Descriptor::use_tls(TlsPtr stream) {
  tls_ = std::move(stream);
  layer_ = tls_.get();
}

void Descriptor::tell(const Events& events) {
  readable_ = readable_ || events.readable || events.gone;
  writable_ = writable_ || events.writable || events.gone;
  hung_up_ = hung_up_ || events.gone;
  broken_ = broken_ || events.gone;
  wake_waiters();
}

int Descriptor::release() { return std::exchange(fd_, -1); }

void Descriptor::apply(std::uint32_t events) {
  if ((events & EPOLLPRI) != 0) urgent_ = true;
  if ((events & (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) readable_ = true;
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) writable_ = true;
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) hung_up_ = true;
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) broken_ = true;
  if (tls_ != nullptr && tls_->pending()) tls_->flush();
  if (on_idle_event != nullptr) {
    if (every_event) return on_idle_event(*this);
    // Events that only say "writable" come with the registration and mean nothing here. Nor do
    // messages of TLS itself (tickets of sessions, new keys).
    if (tls_ != nullptr && readable_ && tls_->peek().blocked()) return;
    if (readable_) on_idle_event(*this);
    return;
  }
  wake_waiters();
}

void Descriptor::wake_waiters() {
  if (readable_ && on_readable != nullptr) on_readable->wake(Wake::ready);
  if (writable_ && on_writable != nullptr) on_writable->wake(Wake::ready);
  if (hung_up_ && on_hang_up != nullptr) on_hang_up->wake(Wake::ready);
}

IoResult Descriptor::read(char* to, std::size_t size) {
  return layer_ == nullptr ? read_plain(to, size) : layer_->read(to, size);
}

IoResult Descriptor::write(std::string_view bytes) {
  return layer_ == nullptr ? write_plain(bytes) : layer_->write(bytes);
}

IoResult Descriptor::write_file(int file, std::uint64_t offset, std::size_t size) {
  return layer_ == nullptr ? write_file_plain(file, offset, size)
                           : layer_->write_file(file, offset, size);
}

IoResult Descriptor::peek() { return layer_ == nullptr ? peek_plain() : layer_->peek(); }

IoResult Descriptor::read_plain(char* to, std::size_t size) {
  ssize_t n;
  do {
    n = ::recv(fd_, to, size, MSG_DONTWAIT);
  } while (n < 0 && errno == EINTR);
  if (n > 0) {
    const auto got = static_cast<std::size_t>(n);
    // A short read means drained; only after a hang-up is there the end left to be read.
    if (got < size && !hung_up_ && !urgent_) readable_ = false;
    return {IoResult::Status::ok, 0, got};
  }
  if (n == 0) return {IoResult::Status::eof, 0, 0};
  if (errno == EAGAIN || errno == EWOULDBLOCK) {
    readable_ = false;
    return {IoResult::Status::blocked, 0, 0};
  }
  return {IoResult::Status::error, errno, 0};
}

IoResult Descriptor::write_plain(std::string_view bytes, bool more) {
  const int flags = MSG_DONTWAIT | MSG_NOSIGNAL | (more ? MSG_MORE : 0);
  ssize_t n;
  do {
    n = ::send(fd_, bytes.data(), bytes.size(), flags);
  } while (n < 0 && errno == EINTR);
  if (n >= 0) {
    const auto sent = static_cast<std::size_t>(n);
    if (sent < bytes.size()) writable_ = false;
    return {IoResult::Status::ok, 0, sent};
  }
  if (errno == EAGAIN || errno == EWOULDBLOCK) {
    writable_ = false;
    return {IoResult::Status::blocked, 0, 0};
  }
  return {IoResult::Status::error, errno, 0};
}

IoResult Descriptor::write_file_plain(int file, std::uint64_t offset, std::size_t size) {
  // Of one call, so that one client does not keep the others waiting.
  constexpr std::size_t kMost = std::size_t{2} << 20;
  auto at = static_cast<off_t>(offset);
  const auto want = std::min(size, kMost);
  ssize_t n;
  do {
    n = ::sendfile(fd_, file, &at, want);
  } while (n < 0 && errno == EINTR);
  if (n > 0) {
    const auto sent = static_cast<std::size_t>(n);
    if (sent < want) writable_ = false;
    return {IoResult::Status::ok, 0, sent};
  }
  // The file has become shorter than it was.
  if (n == 0) return {IoResult::Status::eof, 0, 0};
  if (errno == EAGAIN || errno == EWOULDBLOCK) {
    writable_ = false;
    return {IoResult::Status::blocked, 0, 0};
  }
  return {IoResult::Status::error, errno, 0};
}

IoResult Descriptor::peek_plain() {
  char byte;
  const ssize_t n = ::recv(fd_, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
  if (n > 0) return {IoResult::Status::ok, 0, 1};
  if (n == 0) return {IoResult::Status::eof, 0, 0};
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
    return {IoResult::Status::blocked, 0, 0};
  }
  return {IoResult::Status::error, errno, 0};
}

void Descriptor::shutdown_write() {
  if (layer_ != nullptr) layer_->end_writing();
  if (fd_ >= 0) ::shutdown(fd_, SHUT_WR);
}

void Descriptor::reset_on_close() {
  if (layer_ != nullptr) layer_->forget();
  if (fd_ < 0) return;
  const linger off{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &off, sizeof off);
}

// ---- Loop
// ----------------------------------------------------------------------------------------

Loop::Loop(const Clock& clock)
    : clock_(clock),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wakeup_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      now_(clock.now()),
      wall_(clock.wall()),
      wheel_(now_) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;  // stands for wakeup_
  if (epoll_ < 0 || wakeup_ < 0 || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wakeup_, &event) != 0) {
    const int cause = errno;
    for (const int fd : {epoll_, wakeup_}) {
      if (fd >= 0) ::close(fd);
    }
    throw std::system_error(cause, std::generic_category(), "cannot make an event loop");
  }
}

Loop::~Loop() {
  ::close(epoll_);
  ::close(wakeup_);
}

void Loop::run(const std::function<void()>& end_of_turn) {
  while (!stopped_.load(std::memory_order_acquire)) {
    turn();
    end_of_turn();
  }
}

void Loop::turn() {
  std::array<epoll_event, 512> events;
  const int wait = ready_first_ != nullptr ? 0 : wheel_.wait_ms(now_);
  const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait);
  now_ = clock_.now();
  wall_ = clock_.wall();
  bool woken = false;
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    if (event.data.ptr == nullptr) {
      woken = true;
    } else {
      static_cast<Descriptor*>(event.data.ptr)->apply(event.events);
    }
  }
  wheel_.advance(now_);
  if (woken) run_posted();
  // What these coroutines wake or yield to waits for the next turn, so that nobody is starved.
  for (auto left = ready_count_; left > 0 && ready_first_ != nullptr; --left) {
    Waiter& waiter = *ready_first_;
    dequeue(waiter);
    waiter.waiting_ = false;
    waiter.timer_.disarm();
    ++epoch_;
    waiter.handle_.resume();
  }
}

void Loop::stop() {
  stopped_.store(true, std::memory_order_release);
  post([] {});
}

void Loop::post(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(work));
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(wakeup_, &one, sizeof one);
}

void Loop::run_posted() {
  std::uint64_t count;
  [[maybe_unused]] const auto n = ::read(wakeup_, &count, sizeof count);
  {
    const std::lock_guard lock(mutex_);
    running_.swap(posted_);
  }
  for (const auto& work : running_) {
    ++epoch_;
    work();
  }
  running_.clear();
}

void Loop::enqueue(Waiter& waiter) {
  waiter.queued_ = true;
  waiter.next_ = nullptr;
  waiter.prev_ = ready_last_;
  if (ready_last_ != nullptr) {
    ready_last_->next_ = &waiter;
  } else {
    ready_first_ = &waiter;
  }
  ready_last_ = &waiter;
  ++ready_count_;
}

void Loop::dequeue(Waiter& waiter) {
  waiter.queued_ = false;
  (waiter.prev_ != nullptr ? waiter.prev_->next_ : ready_first_) = waiter.next_;
  (waiter.next_ != nullptr ? waiter.next_->prev_ : ready_last_) = waiter.prev_;
  waiter.prev_ = waiter.next_ = nullptr;
  --ready_count_;
}

// ---- Scratch
// -------------------------------------------------------------------------------------

Scratch::Scratch() {
  void* memory = ::mmap(nullptr, kHeadroom + kSize + kTailroom, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  memory_ = static_cast<char*>(memory);
}

Scratch::~Scratch() { ::munmap(memory_, kHeadroom + kSize + kTailroom); }

std::span<char> Borrowed::bytes() const {
  // A stale view would show another connection's bytes: never go on with one.
  if (loop_ != nullptr && epoch_ != loop_->epoch()) std::abort();
  return bytes_;
}

}  // namespace weir::net
