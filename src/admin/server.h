// The admin listener: dashboard, /events, /metrics, /healthz, /upstreams, /api over HTTP/1.1.
// Control thread only; nothing in it waits for anything but its own sockets.
//
// Limits: 16 connections at a time of operators and 48 of others (a new one takes the place of the
// one of its kind that is idle longest), and 16 that watch events; request heads of 8 KiB, no
// bodies, 10 s a request, 60 s between requests.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <vector>

#include "admin/api.h"
#include "admin/pages.h"
#include "admin/source.h"

namespace weir::admin {

struct ServerState;

class Server {
 public:
  // `io` must outlive it.
  Server(boost::asio::io_context& io, Source source);
  ~Server();  // closes everything; the source is not asked any more
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  struct Listening {
    int fd = -1;
    bool trusted = false;  // who gets in may do everything: the operators' Unix socket
  };
  // Takes over listening sockets (bound, listening), and closes the earlier ones. Connections go
  // on.
  void set_listeners(std::vector<Listening> listeners);
  // One more.
  void add_listener(const Listening& listening);
  // Operators are no longer let in: another process may take its place at their socket.
  void close_trusted();
  // Closes listeners and connections.
  void close();

 private:
  std::shared_ptr<ServerState> state_;  // shared with operations that have not ended yet
};

}  // namespace weir::admin
