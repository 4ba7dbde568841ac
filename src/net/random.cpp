#include "net/random.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <memory>
#include <random>
#include <system_error>

namespace weir::net {
namespace {

class SystemRandom {
 public:
  std::uint64_t operator()() {
    if (left_ == 0) fill();
    return numbers_[--left_];
  }

 private:
  // Requests of up to 256 bytes are never cut short once the kernel's pool is ready.
  void fill() {
    ssize_t got;
    do {
      got = ::getrandom(numbers_.data(), sizeof numbers_, 0);
    } while (got < 0 && errno == EINTR);
    if (got != static_cast<ssize_t>(sizeof numbers_)) {
      throw std::system_error(errno, std::generic_category(), "no random numbers");
    }
    left_ = numbers_.size();
  }

  std::array<std::uint64_t, 32> numbers_{};
  std::size_t left_ = 0;
};

}  // namespace

Random system_random() { return SystemRandom{}; }

RandomBelow pseudo_random() {
  auto generator = std::make_shared<std::mt19937_64>(std::random_device{}());
  return [generator](std::uint64_t below) { return below == 0 ? 0 : (*generator)() % below; };
}

}  // namespace weir::net
