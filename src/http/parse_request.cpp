#include <algorithm>
#include <utility>

#include "http/chars.h"
#include "http/field_lines.h"
#include "http/head.h"
#include "http/host.h"

namespace weir::http {
namespace {

constexpr int empty_lines_skipped = 4;   // RFC 9112 section 2.2: at least one
constexpr std::size_t method_most = 32;  // bytes

Method method_of(std::string_view text) {
  switch (text.size()) {
    case 3:
      if (text == "GET") return Method::get;
      if (text == "PUT") return Method::put;
      break;
    case 4:
      if (text == "POST") return Method::post;
      if (text == "HEAD") return Method::head;
      if (text == "COPY") return Method::copy;
      if (text == "MOVE") return Method::move;
      if (text == "LOCK") return Method::lock;
      break;
    case 5:
      if (text == "PATCH") return Method::patch;
      if (text == "TRACE") return Method::trace;
      if (text == "MKCOL") return Method::mkcol;
      break;
    case 6:
      if (text == "DELETE") return Method::delete_;
      if (text == "UNLOCK") return Method::unlock;
      break;
    case 7:
      if (text == "OPTIONS") return Method::options;
      if (text == "CONNECT") return Method::connect;
      break;
    case 8:
      if (text == "PROPFIND") return Method::propfind;
      break;
    case 9:
      if (text == "PROPPATCH") return Method::proppatch;
      break;
    default:
      break;
  }
  return Method::other;
}

ParseResult skip_empty_lines(Cursor& cursor) {
  for (int lines = 0;; ++lines) {
    const char* const p = cursor.p;
    if (p == cursor.end) return cursor.ran_out(p, 414);
    if (*p != '\r') return complete();
    if (lines == empty_lines_skipped) return error(400, "too many empty lines before a request");
    if (p + 1 == cursor.end) return cursor.ran_out(p, 414);
    if (p[1] != '\n') return error(400, "bare CR");
    cursor.p = p + 2;
  }
}

// The method and one space after it.
ParseResult parse_method(Cursor& cursor, RequestHead& head) {
  const char* const line = cursor.p;
  const char* const end = cursor.line_end(line);
  const char* p = line;
  while (p != end && is_token_char(*p)) {
    if (static_cast<std::size_t>(++p - line) > method_most) return error(400, "method too long");
  }
  if (p == end) return cursor.ran_out(line, 414);
  if (*p != ' ' || p == line) return error(400, "invalid method");
  head.method_size = static_cast<std::uint16_t>(p - line);
  head.method = method_of({line, head.method_size});
  cursor.p = p + 1;
  return complete();
}

// The target, not yet looked into, and one space after it.
ParseResult parse_target(Cursor& cursor, const char* line, RequestHead& head) {
  const char* const end = cursor.line_end(line);
  const char* const target = cursor.p;
  const char* const p = find_target_end(target, end);
  if (p == end) return cursor.ran_out(line, 414);
  if (*p == '\r' || *p == '\n') return error(400, "request line without version");
  if (*p != ' ') return error(400, "control character in the target");
  if (p == target) return error(400, "two spaces in the request line");
  head.target = cursor.at(target);
  head.target_size = static_cast<std::uint32_t>(p - target);
  cursor.p = p + 1;
  return complete();
}

ParseResult parse_version(Cursor& cursor, const char* line, RequestHead& head) {
  constexpr std::string_view form = "HTTP/d.d\r\n";  // d: a digit
  const char* const end = cursor.line_end(line);
  const char* const version = cursor.p;
  for (std::size_t i = 0; i < form.size(); ++i) {
    const char* const p = version + i;
    if (p == end) return cursor.ran_out(line, 414);
    if (form[i] == 'd' ? !is_digit(*p) : *p != form[i]) {
      return error(400, *p == '\n' ? "bare LF" : "invalid version");
    }
  }
  const char major = version[5], minor = version[7];
  if (major == '0') return error(400, "HTTP/0.9");
  if (cursor.limits.http2 != (major == '2') || (major != '1' && major != '2')) {
    return error(505, "version not supported");
  }
  head.version = major == '2' ? 20 : minor == '0' ? 10 : 11;
  head.line_size = static_cast<std::uint32_t>(version + 8 - line);
  cursor.p = version + form.size();
  return complete();
}

// The size of "http://" or "https://" at the start, or 0.
std::size_t scheme_size(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (equal_ignoring_case(target.substr(0, scheme.size()), scheme)) return scheme.size();
  }
  return 0;
}

// Splits the target into authority, path and query (RFC 9112 section 3.2).
ParseResult split_target(const Limits& limits, RequestHead& head) {
  std::string_view target = head.target_text();
  if (target == "*") {
    return head.method == Method::options ? complete() : error(400, "target * without OPTIONS");
  }
  // A client never sends a fragment.
  if (const auto mark = target.find('#'); mark != std::string_view::npos) {
    if (!limits.cut_fragment || mark == 0) return error(400, "fragment in the target");
    head.target_size = static_cast<std::uint32_t>(mark);
    target = target.substr(0, mark);
  }
  std::size_t path = 0;
  if (target.front() != '/') {
    const std::size_t scheme = scheme_size(target);
    if (scheme == 0) return error(400, "target is neither a path nor an http URI");
    path = std::min(target.find_first_of("/?", scheme), target.size());
    const std::string_view authority = target.substr(scheme, path - scheme);
    if (!valid_host(authority)) return error(400, "invalid authority in the target");
    head.authority = head.target + static_cast<std::uint32_t>(scheme);
    head.authority_size = static_cast<std::uint32_t>(authority.size());
  }
  const std::size_t mark = target.find('?', path);
  head.has_query = mark != std::string_view::npos;
  const std::size_t path_end = head.has_query ? mark : target.size();
  head.path = head.target + static_cast<std::uint32_t>(path);
  head.path_size = static_cast<std::uint32_t>(path_end - path);
  if (head.has_query) {
    head.query = head.target + static_cast<std::uint32_t>(mark) + 1;
    head.query_size = static_cast<std::uint32_t>(target.size() - mark) - 1;
  }
  return complete();
}

// There are no tunnels to anywhere; what is no HOST:PORT is not even a request for one.
ParseResult refuse_connect(std::string_view target) {
  const auto colon = target.rfind(':');
  const bool named = colon != std::string_view::npos && colon + 1 < target.size() &&
                     valid_host(target) && target.find(']', colon) == std::string_view::npos;
  return named ? error(405, "CONNECT") : error(400, "CONNECT without host and port");
}

ParseResult parse_request_line(Cursor& cursor, RequestHead& head) {
  const char* const line = cursor.p;
  head.start = cursor.at(line);
  ParseResult result = parse_method(cursor, head);
  if (result.status == ParseStatus::complete) result = parse_target(cursor, line, head);
  if (result.status == ParseStatus::complete) result = parse_version(cursor, line, head);
  if (result.status != ParseStatus::complete) return result;
  if (head.method == Method::connect) return refuse_connect(head.target_text());
  if (head.method == Method::trace) return error(405, "TRACE");
  return split_target(cursor.limits, head);
}

ParseResult set_host(RequestHead& head, const KnownLines& known) {
  const std::uint32_t hosts = known.count(FieldId::host);
  if (hosts > 1) return error(400, "more than one Host");
  if (hosts == 0 && head.version >= 11) return error(400, "no Host in HTTP/1.1");
  if (hosts == 1) {
    const Field& field = head.fields[known.first(FieldId::host)];
    if (!valid_host(head.value(field))) return error(400, "invalid Host");
    head.host = field.value;
    head.host_size = field.value_size;
  }
  if (head.authority_size != 0) {  // RFC 9112 section 3.2.2: Host is ignored then
    head.host = head.authority;
    head.host_size = head.authority_size;
  }
  return complete();
}

ParseResult check_expect(RequestHead& head, const KnownLines& known) {
  if (known.count(FieldId::expect) == 0) return complete();
  for (const Field& field : head.fields) {
    if (field.id == FieldId::expect && !equal_ignoring_case(head.value(field), "100-continue")) {
      return error(417, "Expect other than 100-continue");
    }
  }
  head.expect_continue = head.version >= 11;
  return complete();
}

// Fields that may stand once: two of them make two readings (nginx refuses the same ones).
ParseResult check_unique(const KnownLines& known) {
  constexpr std::uint64_t unique =
      field_bit(FieldId::transfer_encoding) | field_bit(FieldId::expect) |
      field_bit(FieldId::authorization) | field_bit(FieldId::if_modified_since) |
      field_bit(FieldId::if_unmodified_since) | field_bit(FieldId::if_match) |
      field_bit(FieldId::if_none_match) | field_bit(FieldId::if_range) |
      field_bit(FieldId::content_range);
  return (known.repeated() & unique) == 0 ? complete()
                                          : error(400, "a field of the head is repeated");
}

ParseResult apply_fields(RequestHead& head, const KnownLines& known) {
  ParseResult result = set_host(head, known);
  if (result.status == ParseStatus::complete) result = check_unique(known);
  if (result.status == ParseStatus::complete) result = parse_framing(head, known, head.framing);
  if (result.status == ParseStatus::complete) result = check_expect(head, known);
  if (result.status != ParseStatus::complete) return result;
  const ConnectionOptions options = connection_options(head, known);
  head.keep_alive = !options.close && (head.version >= 11 || options.keep_alive);
  head.connection_names_fields = options.others;
  head.upgrade = options.upgrade && known.count(FieldId::upgrade) == 1 &&
                 head.fields[known.first(FieldId::upgrade)].value_size != 0;
  return complete();
}

// Everything but the capacity of `fields`.
void reset(RequestHead& head, const char* base) {
  auto fields = std::move(head.fields);
  head = RequestHead{};
  head.fields = std::move(fields);
  head.fields.clear();
  head.base = base;
}

}  // namespace

ParseResult parse_request(std::string_view bytes, const Limits& limits, ParseState& state,
                          RequestHead& head) {
  if (!worth_parsing(bytes, limits, state)) return need_more();
  reset(head, bytes.data());
  Cursor cursor(bytes, limits);
  KnownLines known;
  ParseResult result = skip_empty_lines(cursor);
  if (result.status == ParseStatus::complete) result = parse_request_line(cursor, head);
  if (result.status != ParseStatus::complete) return result;
  state.start_line_seen = true;
  result = parse_field_lines(cursor, Side::request, head, known);
  return result.status == ParseStatus::complete ? apply_fields(head, known) : result;
}

}  // namespace weir::http
