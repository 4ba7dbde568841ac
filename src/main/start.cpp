#include "main/start.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <set>

#include "config/units.h"

extern char** environ;

namespace weir::main {
namespace {

constexpr std::array kSignals = {SIGHUP,  SIGUSR1, SIGUSR2, SIGWINCH,
                                 SIGQUIT, SIGTERM, SIGINT,  SIGCHLD};
constexpr int kFirstPassed = 3;  // SD_LISTEN_FDS_START
constexpr std::uint64_t kMaxPassed = 100000;

// As a shell finds it; a path that is relative is so to the present directory.
std::string find_executable(const std::string& name, const std::string& path_list) {
  const auto absolute = [](const std::string& path) {
    if (path.starts_with('/')) return path;
    std::array<char, 4096> here;
    if (::getcwd(here.data(), here.size()) == nullptr) return path;
    return std::string(here.data()) + "/" + path;
  };
  if (name.find('/') != std::string::npos) return absolute(name);
  for (std::size_t at = 0; at <= path_list.size();) {
    const auto end = std::min(path_list.find(':', at), path_list.size());
    const auto path = path_list.substr(at, end - at) + "/" + name;
    if (::access(path.c_str(), X_OK) == 0) return absolute(path);
    at = end + 1;
  }
  return name;
}

void take_listed(const std::string& list, std::vector<UniqueFd>& out) {
  std::set<std::uint64_t> taken;
  for (std::size_t at = 0; at < list.size();) {
    const auto end = std::min(list.find_first_of(";:", at), list.size());
    const auto number = config::parse_number(std::string_view(list).substr(at, end - at));
    if (number && *number > STDERR_FILENO && *number < kMaxPassed && taken.insert(*number).second) {
      out.emplace_back(static_cast<int>(*number));
    }
    at = end + 1;
  }
}

}  // namespace

std::string Start::variable(const std::string& name) const {
  const auto key = name + "=";
  for (const auto& entry : environment) {
    if (entry.starts_with(key)) return entry.substr(key.size());
  }
  return {};
}

void open_standard_descriptors() {
  int fd;
  do {
    fd = ::open("/dev/null", O_RDWR);
  } while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd >= 0) ::close(fd);
}

Start save_start(int argc, const char* const* argv) {
  Start start;
  start.arguments.assign(argv, argv + argc);
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    start.environment.emplace_back(*entry);
  }
  if (start.arguments.empty()) start.arguments.emplace_back("weir");
  start.executable = find_executable(start.arguments.front(), start.variable("PATH"));
  start.parent = ::getppid();
  for (const int number : kSignals) ::signal(number, SIG_DFL);
  ::signal(SIGPIPE, SIG_IGN);
  const auto blocked = own_signals();
  ::sigprocmask(SIG_BLOCK, &blocked, &start.signal_mask);
  return start;
}

sigset_t own_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : kSignals) sigaddset(&set, number);
  return set;
}

Inherited take_inherited(const Start& start) {
  Inherited inherited;
  if (const auto list = start.variable("NGINX"); !list.empty()) {
    take_listed(list, inherited.from_predecessor);
  }
  const auto count = config::parse_number(start.variable("LISTEN_FDS"));
  if (count && *count <= kMaxPassed && start.variable("LISTEN_PID") == std::to_string(::getpid())) {
    for (int fd = kFirstPassed; fd < kFirstPassed + static_cast<int>(*count); ++fd) {
      inherited.from_manager.emplace_back(fd);
    }
  }
  for (const auto* fds : {&inherited.from_predecessor, &inherited.from_manager}) {
    for (const auto& fd : *fds) ::fcntl(fd.get(), F_SETFD, FD_CLOEXEC);
  }
  for (const char* name : {"NGINX", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"}) {
    ::unsetenv(name);
  }
  return inherited;
}

}  // namespace weir::main
