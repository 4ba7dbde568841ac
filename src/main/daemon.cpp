#include "main/daemon.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "main/start.h"
#include "net/socket.h"

namespace weir::main {
namespace {

constexpr char kReady = 'r';

// Ends as the child says: with 0 when it is ready, with its own status when it ends before.
[[noreturn]] void wait_for(int from, pid_t child) {
  const auto signals = own_signals();
  ::sigprocmask(SIG_UNBLOCK, &signals, nullptr);
  char byte = 0;
  ssize_t n;
  do {
    n = ::read(from, &byte, 1);
  } while (n < 0 && errno == EINTR);
  if (n == 1 && byte == kReady) ::_exit(0);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  ::_exit(WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : 1);
}

}  // namespace

std::string Daemon::begin() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return "pipe() failed " + net::errno_text(errno);
  UniqueFd from(ends[0]);
  parent_.reset(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return "fork() failed " + net::errno_text(errno);
  if (child > 0) {
    parent_.reset();
    wait_for(from.get(), child);
  }
  ::setsid();
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) return "open() \"/dev/null\" failed " + net::errno_text(errno);
  ::dup2(null.get(), STDIN_FILENO);
  ::dup2(null.get(), STDOUT_FILENO);
  return {};
}

void Daemon::ready() {
  if (!parent_) return;
  [[maybe_unused]] const auto n = ::write(parent_.get(), &kReady, 1);
  parent_.reset();
}

}  // namespace weir::main
