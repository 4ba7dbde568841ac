// Message heads, indexed in place: offsets into the bytes received, no copy, no allocation in the
// steady state. One thread at a time; owned by the exchange (or probe) that reads the message.
//
// The parser is strict, for both sides (RFC 9112; safety rules in tests/http): it refuses what it
// would otherwise have to repair.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace weir::http {

enum class Method : std::uint8_t {
  get,
  head,
  post,
  put,
  delete_,
  options,
  patch,
  connect,
  trace,
  propfind,
  proppatch,
  mkcol,
  copy,
  move,
  lock,
  unlock,
  other,  // any other token
};
// GET, HEAD, OPTIONS, TRACE, PROPFIND (RFC 9110 section 9.2.1).
[[nodiscard]] bool is_safe(Method method);
// nginx's rule for proxy_next_upstream: everything but POST, LOCK and PATCH.
[[nodiscard]] bool may_repeat(Method method);

// Fields that the proxy itself looks at; `other` for the rest.
enum class FieldId : std::uint8_t {
  other,
  host,
  connection,
  content_length,
  transfer_encoding,
  expect,
  upgrade,
  keep_alive,
  te,
  trailer,
  proxy,
  proxy_connection,
  proxy_authorization,
  authorization,
  cookie,
  user_agent,
  referer,
  x_forwarded_for,
  x_forwarded_host,
  x_forwarded_proto,
  x_forwarded_port,
  x_real_ip,
  forwarded,
  content_type,
  date,
  server,
  location,
  refresh,
  set_cookie,
  etag,
  last_modified,
  cache_control,
  content_encoding,
  accept_encoding,
  range,
  if_range,
  if_none_match,
  if_modified_since,
  if_match,
  if_unmodified_since,
  content_range,
  expires,
  vary,
  x_accel_redirect,
  x_accel_expires,
  x_accel_limit_rate,
  x_accel_buffering,
  x_accel_charset,
  x_pad,
};
// The bit of an id in Head::present.
[[nodiscard]] constexpr std::uint64_t field_bit(FieldId id) {
  return std::uint64_t{1} << static_cast<unsigned>(id);
}
// The id of a field name, any case.
[[nodiscard]] FieldId field_id(std::string_view name);

// One header line. The line runs from `line` to `line + line_size` including its CRLF; offsets
// count from the start of the head.
struct Field {
  std::uint32_t line;
  std::uint32_t line_size;
  std::uint32_t value;  // first byte of the value, spaces trimmed on both sides
  std::uint32_t value_size;
  std::uint16_t name_size;  // the name starts at `line`
  FieldId id;
  bool invalid_name;  // request fields only: not a token, or with '_' where these are not allowed
};

// What is common to both heads. `base` must be set again when the bytes are moved.
struct Head {
  const char* base = nullptr;
  std::uint32_t size = 0;      // bytes, the empty line included
  std::uint8_t version = 11;   // 10 or 11; of a request with Limits::http2: 20
  std::vector<Field> fields;   // capacity is kept from message to message
  std::uint64_t present = 0;   // a bit for each FieldId that there is; see has()
  std::uint64_t repeated = 0;  // and for each that there is more than one of

  [[nodiscard]] std::string_view text(std::uint32_t at, std::uint32_t size_) const {
    return {base + at, size_};
  }
  [[nodiscard]] std::string_view name(const Field& f) const { return {base + f.line, f.name_size}; }
  [[nodiscard]] std::string_view value(const Field& f) const {
    return {base + f.value, f.value_size};
  }
  [[nodiscard]] bool has(FieldId id) const { return (present & field_bit(id)) != 0; }
  // The first field with this id (not `other`), or null.
  [[nodiscard]] const Field* find(FieldId id) const;
  // The first field with this name, any case, or null.
  [[nodiscard]] const Field* find(std::string_view name) const;
};

// How the end of a body is told (RFC 9112 section 6.3).
struct Framing {
  enum class Kind : std::uint8_t { none, counted, chunked, until_close } kind = Kind::none;
  std::uint64_t length = 0;  // counted only
};

struct RequestHead : Head {
  Method method = Method::other;
  std::uint16_t method_size = 0;  // the method starts the request line
  std::uint32_t start = 0;        // offset of the request line (empty lines before it are skipped)
  std::uint32_t line_size = 0;    // request line without CRLF, from `start`
  std::uint32_t target = 0, target_size = 0;
  // Parts of the target, of any form: authority is empty for origin-form; path is empty for
  // "*" and authority-form. An absolute-form target without a path ("http://a", "http://a?b") has
  // an empty one too, which means "/".
  std::uint32_t authority = 0, authority_size = 0;
  std::uint32_t path = 0, path_size = 0;    // as received, not decoded, without query
  std::uint32_t query = 0, query_size = 0;  // without '?'
  bool has_query = false;
  // Host the request is for: of the absolute-form target, else of the Host field. With port.
  std::uint32_t host = 0, host_size = 0;

  Framing framing;
  bool keep_alive = false;       // as the client asks
  bool expect_continue = false;  // Expect: 100-continue, HTTP/1.1 only
  bool upgrade = false;          // Connection has `upgrade` and there is one Upgrade field
  // A list of the options in Connection other than close, keep-alive and upgrade is needed by the
  // forwarder: true if there are any.
  bool connection_names_fields = false;

  [[nodiscard]] std::string_view method_text() const { return text(start, method_size); }
  [[nodiscard]] std::string_view request_line() const { return text(start, line_size); }
  [[nodiscard]] std::string_view target_text() const { return text(target, target_size); }
  [[nodiscard]] std::string_view path_text() const { return text(path, path_size); }
  [[nodiscard]] std::string_view query_text() const { return text(query, query_size); }
  [[nodiscard]] std::string_view host_text() const { return text(host, host_size); }
};

struct ResponseHead : Head {
  std::uint16_t status = 0;  // 100 .. 999
  std::uint32_t reason = 0, reason_size = 0;
  Framing framing;
  bool keep_alive = false;
  bool connection_names_fields = false;
  // Seconds of `Keep-Alive: timeout=N`; 0: none.
  std::uint32_t keep_alive_timeout = 0;

  [[nodiscard]] std::string_view reason_text() const { return text(reason, reason_size); }
};

// Whether option `name` is in a Connection field's list, any case. `list` is a field value.
[[nodiscard]] bool list_has_token(std::string_view list, std::string_view token);

struct Limits {
  std::uint32_t head = 32 * 1024;  // bytes of a head
  std::uint32_t line = 16 * 1024;  // bytes of one header line, or of the request line
  std::uint32_t fields = 200;      // header lines
  bool underscores_in_headers = false;
  bool ignore_invalid_headers = true;  // else they are taken like others
  bool cut_fragment = false;           // of the target, as nginx does; else a 400
  bool http2 = false;                  // the head was made of one of HTTP/2 (Http2Request)
};

enum class ParseStatus : std::uint8_t { complete, need_more, error };

// On `error`: the status to answer with (400, 405, 414, 417, 431, 501, 505) and a text for the log.
struct ParseResult {
  ParseStatus status = ParseStatus::need_more;
  std::uint16_t http_status = 0;
  const char* reason = "";
};

// Where the search for a head's end goes on when more bytes have come. One a message.
struct ParseState {
  std::uint32_t scanned = 0;     // bytes already looked at
  std::uint32_t next_parse = 0;  // parse again at this size, to find errors before the end
  bool start_line_seen = false;  // the start line was parsed and is good
};

// Parses a request head at the start of `bytes`. Complete: head.size bytes belong to it. Bytes may
// be a growing prefix of the same message; `state` carries what has been looked at.
[[nodiscard]] ParseResult parse_request(std::string_view bytes, const Limits& limits,
                                        ParseState& state, RequestHead& head);

// The same for an answer to a request made with `method`. Framing follows RFC 9112 section 6.3:
// none for HEAD, 1xx, 204, 304. `http_status` of an error has no meaning.
[[nodiscard]] ParseResult parse_response(std::string_view bytes, const Limits& limits,
                                         ParseState& state, Method method, ResponseHead& head);

}  // namespace weir::http
