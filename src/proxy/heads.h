// Writing heads: the request as a peer gets it, the answer as a client gets it. Both are written
// from the index of the head received, in runs of lines that pass untouched. Worker thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/head.h"

namespace weir::proxy {

class Exchange;

struct WrittenRequest {
  bool ok = true;             // false: a value would have broken the head's lines
  bool asks_upgrade = false;  // the peer may switch protocols
};
// Appends the head of the exchange's request to `out`. `keep`: the connection may be kept.
[[nodiscard]] WrittenRequest write_request_head(Exchange& x, const http::Framing& body, bool keep,
                                                std::string& out);

// How the answer's body goes to the client.
enum class Delivery : std::uint8_t {
  none,         // HEAD, 204, 304
  as_is,        // counted, or chunked as it came
  chunk,        // ends with the peer's connection: chunked for the client
  unchunk,      // chunked by the peer, for an HTTP/1.0 client
  until_close,  // for an HTTP/1.0 client
  tunnel,       // 101
};

enum class HeadResult : std::uint8_t {
  ok,
  bad_value,   // a value of add_header would have broken the head's lines
  bad_answer,  // the peer's head is beyond what can be passed on
};
// Appends the head of the peer's answer for the client to `out`.
[[nodiscard]] HeadResult write_response_head(Exchange& x, Delivery delivery, bool keep_alive,
                                             std::string& out);

// The error that a failed write_response_head() stands for.
[[nodiscard]] inline Error to_error(HeadResult result) {
  return {result == HeadResult::bad_value ? Errc::client_bad_request : Errc::peer_bad_head, 0};
}

// Appends what tells a client that its connection is kept.
void append_keep_alive(Exchange& x, std::string& out);

// Appends the configured add_header lines that hold for `status`.
[[nodiscard]] bool append_added_headers(Exchange& x, int status, std::string& out);

// Whether `text` may stand in a field value: no CR, LF or NUL.
[[nodiscard]] bool is_field_text(std::string_view text);

}  // namespace weir::proxy
