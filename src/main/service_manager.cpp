#include "main/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "base/unique_fd.h"
#include "config/units.h"

namespace weir::main {

ServiceManager::ServiceManager(const Start& start) : socket_(start.variable("NOTIFY_SOCKET")) {
  const auto microseconds = config::parse_number(start.variable("WATCHDOG_USEC"));
  const auto pid = start.variable("WATCHDOG_PID");
  if (microseconds && !socket_.empty() && (pid.empty() || pid == std::to_string(::getpid()))) {
    watchdog_ = Duration(static_cast<Duration::rep>(*microseconds / 1000));
  }
  for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
}

void ServiceManager::send(const std::string& lines) const {
  sockaddr_un address{};
  if (socket_.empty() || socket_.size() >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  const UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return;
  ::sendto(fd.get(), lines.data(), lines.size(), MSG_NOSIGNAL,
           reinterpret_cast<const sockaddr*>(&address), size);
}

void ServiceManager::ready(const std::string& status) const { send("READY=1\nSTATUS=" + status); }

void ServiceManager::reloading() const {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const auto microseconds = now.tv_sec * 1000000LL + now.tv_nsec / 1000;
  send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds) + "\nSTATUS=reloading");
}

void ServiceManager::status(const std::string& text) const { send("STATUS=" + text); }

void ServiceManager::stopping() const { send("STOPPING=1\nSTATUS=ending"); }

void ServiceManager::main_process(pid_t pid) const { send("MAINPID=" + std::to_string(pid)); }

void ServiceManager::alive() const { send("WATCHDOG=1"); }

}  // namespace weir::main
