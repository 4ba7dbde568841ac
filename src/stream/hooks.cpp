#include "stream/hooks.h"

#include <memory>
#include <utility>

#include "stream/tcp_session.h"
#include "stream/udp_port.h"
#include "stream/udp_room.h"

namespace weir::stream {

proxy::GuestHooks hooks() {
  const auto open_port = [room = std::make_shared<UdpRoom>()](proxy::Worker& worker,
                                                              const std::string& listen_text,
                                                              net::ListenSocket socket) {
    return UdpPort::open(worker, room, listen_text, std::move(socket));
  };
  return {&TcpSession::start, open_port};
}

}  // namespace weir::stream
