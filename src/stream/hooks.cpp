#include "stream/hooks.h"

#include "stream/tcp_session.h"
#include "stream/udp_port.h"

namespace weir::stream {

proxy::GuestHooks hooks() { return {&TcpSession::start, &UdpPort::open}; }

}  // namespace weir::stream
