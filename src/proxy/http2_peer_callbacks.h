// The functions that nghttp2 is given for connections to peers. Worker thread.
#pragma once

struct nghttp2_session;

namespace weir::proxy {

class Http2Peer;

// Null: memory is short.
[[nodiscard]] nghttp2_session* make_http2_session(Http2Peer& peer);

}  // namespace weir::proxy
