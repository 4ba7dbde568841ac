// Accepts connections from one listening socket into its worker.
#pragma once

#include <string>

#include "net/loop.h"
#include "net/socket.h"
#include "net/task.h"

namespace weir::proxy {

class Worker;

class Acceptor {
 public:
  // Takes over the socket. `listen_text` outlives the acceptor.
  Acceptor(Worker& worker, const std::string& listen_text, net::ListenSocket socket);
  ~Acceptor() = default;
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  // The acceptor frees itself in the next turn of the loop; its descriptor is closed.
  static void stop(std::unique_ptr<Acceptor> acceptor);
  // The same, but whoever has connected already is let in.
  static void empty(std::unique_ptr<Acceptor> acceptor);
  // The address is given up: whoever has connected already is let in, nobody else is.
  static void last_call(std::unique_ptr<Acceptor> acceptor);
  static void start(Acceptor& acceptor);
  [[nodiscard]] const std::string& listen_text() const { return listen_text_; }
  [[nodiscard]] std::uint64_t socket_id() const { return socket_id_; }

 private:
  net::Task<void> run();
  void accept_waiting();
  // False: nothing is waiting, or descriptors are scarce.
  bool accept_one();
  [[nodiscard]] bool still_scarce() const;
  [[nodiscard]] bool somebody_waits() const;

  Worker& worker_;
  const std::string& listen_text_;
  std::uint64_t socket_id_;
  bool exclusive_;
  net::Descriptor socket_;
  net::Waiter waiter_;
  int limit_;            // descriptors from this number on are not for clients
  bool scarce_ = false;  // the last one had such a number, or there was none
  bool stopped_ = false;
};

}  // namespace weir::proxy
