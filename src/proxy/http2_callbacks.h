// What nghttp2 calls while bytes are taken apart and frames are put together: turns its events into
// those of a connection and its streams. No state; worker threads.
#pragma once

struct nghttp2_session;

namespace weir::proxy {

class Http2Connection;

// The server's side of a connection; null: memory is short. To be freed with nghttp2_session_del.
[[nodiscard]] nghttp2_session* make_http2_session(Http2Connection& connection);

}  // namespace weir::proxy
