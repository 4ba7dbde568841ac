#include "main/node_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

namespace weir::main {
namespace {

// In the child. Tells through `tell` why it has not come to run.
[[noreturn]] void run(const std::vector<std::string>& command, const std::string& name,
                      const std::string& value, pid_t parent, int tell) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(1);  // it was killed before
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD, SIGPIPE}) {
    ::signal(number, SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> words;
  for (const auto& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::execvp(words[0], words.data());
  const int error = errno;
  static_cast<void>(!::write(tell, &error, sizeof error));
  ::_exit(127);
}

}  // namespace

std::string NodeProcess::start(const std::vector<std::string>& command, const std::string& name,
                               const std::string& value) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return std::strerror(errno);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) run(command, name, value, parent, ends[1]);
  const int fork_error = errno;
  ::close(ends[1]);
  int error = 0;
  const auto got = pid < 0 ? 0 : ::read(ends[0], &error, sizeof error);
  ::close(ends[0]);
  if (pid < 0) return std::strerror(fork_error);
  if (got == sizeof error) {
    ::waitpid(pid, nullptr, 0);
    return command.front() + ": " + std::strerror(error);
  }
  pid_ = pid;
  return {};
}

void NodeProcess::signal(int number) const {
  if (pid_ > 0) ::kill(-pid_, number);
}

bool NodeProcess::reap() {
  bool ended = false;
  int status = 0;
  for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    if (pid != pid_) continue;
    ended = true;
    pid_ = 0;
    status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
  return ended;
}

}  // namespace weir::main
