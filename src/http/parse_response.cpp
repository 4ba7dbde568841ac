#include <algorithm>
#include <utility>

#include "http/chars.h"
#include "http/field_lines.h"
#include "http/head.h"

namespace weir::http {
namespace {

// The status line (RFC 9112 section 4). The space before an empty reason is often left out.
ParseResult parse_status_line(Cursor& cursor, ResponseHead& head) {
  constexpr std::string_view form = "HTTP/1.d ddd";  // d: a digit
  const char* const line = cursor.p;
  const char* const end = cursor.line_end(line);
  for (std::size_t i = 0; i < form.size(); ++i) {
    const char* const p = line + i;
    if (p == end) return cursor.ran_out(line, 431);
    if (form[i] == 'd' ? !is_digit(*p) : *p != form[i]) return error(400, "invalid status line");
  }
  head.version = line[7] == '0' ? 10 : 11;
  const auto digit = [line](std::size_t i) { return line[i] - '0'; };
  head.status = static_cast<std::uint16_t>(digit(9) * 100 + digit(10) * 10 + digit(11));
  if (head.status < 100) return error(400, "invalid status");

  const char* p = line + form.size();
  if (p == end) return cursor.ran_out(line, 431);
  if (*p == ' ') {
    ++p;
  } else if (*p != '\r') {
    return error(400, *p == '\n' ? "bare LF" : "invalid status line");
  }
  const char* const reason = p;
  p = find_text_end(p, end);
  if (p == end) return cursor.ran_out(line, 431);
  if (*p != '\r') return error(400, *p == '\n' ? "bare LF" : "control character in the reason");
  if (p + 1 == end) return cursor.ran_out(line, 431);
  if (p[1] != '\n') return error(400, "bare CR");
  head.reason = cursor.at(reason);
  head.reason_size = static_cast<std::uint32_t>(p - reason);
  cursor.p = p + 2;
  return complete();
}

// RFC 9112 section 6.3.
ParseResult set_framing(Method method, const KnownLines& known, ResponseHead& head) {
  head.framing = {Framing::Kind::until_close, 0};
  if (const auto result = parse_framing(head, known, head.framing);
      result.status != ParseStatus::complete) {
    return result;
  }
  const bool never_has_body = head.status < 200 || head.status == 204;
  if (never_has_body) {  // RFC 9110 section 8.6, RFC 9112 section 6.1
    if (head.framing.kind == Framing::Kind::chunked) {
      return error(400, "Transfer-Encoding with a status that has no body");
    }
    if (head.framing.kind == Framing::Kind::counted && head.framing.length != 0) {
      return error(400, "Content-Length with a status that has no body");
    }
  }
  if (never_has_body || head.status == 304 || method == Method::head) {
    head.framing = {Framing::Kind::none, 0};
  }
  return complete();
}

// Seconds of `timeout=N` in a Keep-Alive value; 0: none, or not a number.
std::uint32_t keep_alive_timeout(std::string_view value) {
  constexpr std::string_view key = "timeout=";
  constexpr std::uint64_t most = 86400;  // longer is as good as no limit
  std::uint32_t seconds = 0;
  for_each_item(value, [&](std::string_view item) {
    if (!equal_ignoring_case(item.substr(0, key.size()), key)) return;
    if (const auto number = parse_length(trim_blanks(item.substr(key.size())))) {
      seconds = static_cast<std::uint32_t>(std::min(*number, most));
    }
  });
  return seconds;
}

void reset(ResponseHead& head, const char* base) {
  auto fields = std::move(head.fields);
  head = ResponseHead{};
  head.fields = std::move(fields);
  head.fields.clear();
  head.base = base;
}

}  // namespace

ParseResult parse_response(std::string_view bytes, const Limits& limits, ParseState& state,
                           Method method, ResponseHead& head) {
  if (!worth_parsing(bytes, limits, state)) return need_more();
  reset(head, bytes.data());
  Cursor cursor(bytes, limits);
  KnownLines known;
  ParseResult result = parse_status_line(cursor, head);
  if (result.status != ParseStatus::complete) return result;
  state.start_line_seen = true;
  result = parse_field_lines(cursor, Side::response, head, known);
  if (result.status == ParseStatus::complete) result = set_framing(method, known, head);
  if (result.status != ParseStatus::complete) return result;

  const ConnectionOptions options = connection_options(head, known);
  head.keep_alive = head.framing.kind != Framing::Kind::until_close && !options.close &&
                    (head.version >= 11 || options.keep_alive);
  head.connection_names_fields = options.others;
  if (known.count(FieldId::keep_alive) != 0) {
    head.keep_alive_timeout =
        keep_alive_timeout(head.value(head.fields[known.first(FieldId::keep_alive)]));
  }
  return complete();
}

}  // namespace weir::http
