// A file descriptor that is closed with its owner. A value; not shared between threads.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace weir {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    reset(other.release());
    return *this;
  }
  ~UniqueFd() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }
  // Another descriptor of the same thing, never one of the standard three; errno on failure.
  [[nodiscard]] UniqueFd duplicate() const {
    return UniqueFd(::fcntl(fd_, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  }

 private:
  int fd_ = -1;
};

}  // namespace weir
