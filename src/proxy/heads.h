// Writing heads: the request as a peer gets it, the answer as a client gets it. Both are written
// from the index of the head received, in runs of lines that pass untouched. Worker thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/head.h"

namespace weir::proxy {

class Answer;
class Exchange;

struct WrittenRequest {
  bool ok = true;             // false: a value would have broken the head's lines
  bool asks_upgrade = false;  // the peer may switch protocols
};
// Appends the head of the exchange's request to `out`. `keep`: the connection may be kept.
[[nodiscard]] WrittenRequest write_request_head(Exchange& x, const http::Framing& body, bool keep,
                                                std::string& out);

// The client asks for another protocol, and the location takes part in that.
[[nodiscard]] bool may_switch_protocols(const Exchange& x);

enum class HeadResult : std::uint8_t {
  ok,
  bad_value,   // a value of add_header would have broken the head's lines
  bad_answer,  // the peer's head is beyond what can be passed on
};
// Appends the head of the peer's answer for the client to `out`, as it is but for what is of a hop:
// only for answers that nothing has to look at. `chunked`: the body is.
[[nodiscard]] HeadResult write_response_head(Exchange& x, bool chunked, bool keep_alive,
                                             std::string& out);
// The same for a 101.
[[nodiscard]] HeadResult write_upgrade_head(Exchange& x, std::string& out);
// Fields of an answer that may stand once: the first one counts, take_answer() drops the others.
inline constexpr std::uint64_t kSingleFields =
    http::field_bit(http::FieldId::date) | http::field_bit(http::FieldId::server) |
    http::field_bit(http::FieldId::content_type) | http::field_bit(http::FieldId::location) |
    http::field_bit(http::FieldId::refresh) | http::field_bit(http::FieldId::etag) |
    http::field_bit(http::FieldId::last_modified) | http::field_bit(http::FieldId::expires) |
    http::field_bit(http::FieldId::content_encoding);
// The head of a 103 of the peer's. False: it is beyond what can be passed on.
[[nodiscard]] bool write_hint_head(Exchange& x, std::string& out);
// The head of the peer's answer as one that filters can work on; what proxy_redirect,
// proxy_cookie_* ask for is done.
[[nodiscard]] HeadResult take_answer(Exchange& x, const http::ResponseHead& response,
                                     Answer& answer);

// The error that a failed write_response_head() stands for.
[[nodiscard]] inline Error to_error(HeadResult result) {
  return {result == HeadResult::bad_value ? Errc::client_bad_request : Errc::peer_bad_head, 0};
}

// Appends what tells a client that its connection is kept.
void append_keep_alive(Exchange& x, std::string& out);

// Appends the configured add_header lines that hold for `status`.
[[nodiscard]] bool append_added_headers(Exchange& x, int status, std::string& out);

}  // namespace weir::proxy
