// What a worker has besides sessions of HTTP: connections and ports of stream, which it knows by
// these alone. Worker thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/address.h"
#include "net/socket.h"

namespace weir::proxy {

class Worker;

// A connection, or a session of UDP. Frees itself when it has ended.
class Guest {
 public:
  explicit Guest(Worker& worker);
  virtual ~Guest();
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;

  // Ends it at once, in a later turn of the loop.
  virtual void cancel() = 0;
  // Whether it began under this configuration, or one before it.
  [[nodiscard]] virtual bool is_of(std::uint64_t generation) const = 0;

 private:
  friend class Worker;
  Worker& guests_worker_;
  Guest* guest_prev_ = nullptr;
  Guest* guest_next_ = nullptr;
};

// A socket that datagrams come to.
class Port {
 public:
  virtual ~Port() = default;
  [[nodiscard]] virtual const std::string& listen_text() const = 0;
  [[nodiscard]] virtual std::uint64_t socket_id() const = 0;
  // No datagrams from there any more; its sessions end. It frees itself in a later turn.
  virtual void close() = 0;
};

// Who takes in what comes to addresses of stream; empty functions: nobody.
struct GuestHooks {
  // Takes over `fd`. `listen_text` outlives the worker's guests.
  std::function<void(Worker& worker, int fd, const std::string& listen_text, const IpAddress& peer,
                     std::uint64_t id)>
      connected;
  // Of a socket for datagrams; it is let go by Port::close().
  std::function<Port*(Worker& worker, const std::string& listen_text, net::ListenSocket socket)>
      open_port;
};

}  // namespace weir::proxy
