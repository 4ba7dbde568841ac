#include "main/engine_child.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "net/socket.h"

namespace weir::main {

std::unique_ptr<EngineChild> EngineChild::fork(const EngineSetup& setup, TimePoint now,
                                               std::string& error) {
  auto [ours, theirs] = Channel::make();
  if (ours.fd() < 0) {
    error = "socketpair() failed " + net::errno_text(errno);
    return nullptr;
  }
  const pid_t pid = ::fork();
  if (pid < 0) {
    error = "fork() failed " + net::errno_text(errno);
    return nullptr;
  }
  // What lives on this stack is the master's: it is not destroyed, but forgotten.
  if (pid == 0) {
    ours.release();
    std::exit(run_engine(setup, std::move(theirs)));
  }
  return std::unique_ptr<EngineChild>(new EngineChild(pid, std::move(ours), now));
}

bool EngineChild::send(const Handover& handover, Kind kind) {
  std::vector<int> fds;
  for (const auto& socket : handover.sockets) fds.push_back(socket.fd.get());
  for (const auto& [path, fd] : handover.logs) fds.push_back(fd->get());
  return channel_.send(kind, encode(handover), fds);
}

void EngineChild::signal(int number) const { ::kill(pid_, number); }

}  // namespace weir::main
