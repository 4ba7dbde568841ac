#include "proxy/end_code.h"

namespace weir::proxy {

EndCause end_cause(Errc what) {
  switch (what) {
    case Errc::ok:
      return EndCause::none;
    case Errc::client_timed_out:
    case Errc::client_write_stalled:
      return EndCause::client_late;
    case Errc::connect_timed_out:
    case Errc::peer_send_timed_out:
    case Errc::peer_read_timed_out:
    case Errc::peer_body_timed_out:
      return EndCause::peer_late;
    default:
      break;
  }
  switch (info(what).side) {
    case Side::client:
      return EndCause::client;
    case Side::peer:
      return EndCause::peer;
    case Side::local:
      break;
  }
  return EndCause::weir;
}

}  // namespace weir::proxy
