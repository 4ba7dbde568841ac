// Accepts connections from one listening socket into its worker.
#pragma once

#include <string>

#include "net/loop.h"
#include "net/task.h"

namespace weir::proxy {

class Worker;

class Acceptor {
 public:
  // Takes over `fd`. `listen_text` outlives the acceptor.
  Acceptor(Worker& worker, const std::string& listen_text, int fd);
  ~Acceptor() = default;
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  // The acceptor frees itself in the next turn of the loop; the socket is closed.
  static void stop(std::unique_ptr<Acceptor> acceptor);
  static void start(Acceptor& acceptor);
  [[nodiscard]] const std::string& listen_text() const { return listen_text_; }

 private:
  net::Task<void> run();
  // False: nothing is waiting, or no descriptor is free.
  bool accept_one(bool& exhausted);

  Worker& worker_;
  const std::string& listen_text_;
  net::Descriptor socket_;
  net::Waiter waiter_;
  bool stopped_ = false;
};

}  // namespace weir::proxy
