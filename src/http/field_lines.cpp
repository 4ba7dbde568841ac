#include "http/field_lines.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "http/chars.h"

namespace weir::http {

Cursor::Cursor(std::string_view bytes, const Limits& limits_)
    : base(bytes.data()),
      p(base),
      end(base + std::min<std::size_t>(bytes.size(), limits_.head)),
      limits(limits_) {}

const char* Cursor::line_end(const char* line) const {
  const std::size_t most = std::size_t{limits.line} + 2;  // CRLF is not counted
  return static_cast<std::size_t>(end - line) > most ? line + most : end;
}

ParseResult Cursor::ran_out(const char* line, std::uint16_t http_status) const {
  if (line_end(line) != end) {
    return error(http_status,
                 http_status == 414 ? "request line too long" : "header line too long");
  }
  if (static_cast<std::size_t>(end - base) >= limits.head) {
    return error(http_status, "head too long");
  }
  return need_more();
}

bool worth_parsing(std::string_view bytes, const Limits& limits, ParseState& state) {
  constexpr std::size_t most = std::numeric_limits<std::uint32_t>::max() / 2;
  const auto size = static_cast<std::uint32_t>(std::min(bytes.size(), most));
  if (size == 0) return false;
  const std::uint32_t from = std::min(state.scanned, size);
  state.scanned = size;
  if (size >= state.next_parse) {
    state.next_parse = std::min(size * 2, limits.head);
    return true;
  }
  const char* const data = bytes.data();
  const char* const end = data + size;
  for (const char* p = data + from; p != end; ++p) {
    p = static_cast<const char*>(std::memchr(p, '\n', static_cast<std::size_t>(end - p)));
    if (p == nullptr) return false;
    if (!state.start_line_seen) return true;
    // An empty line, also one that bare LF makes.
    if (p - data >= 1 && p[-1] == '\n') return true;
    if (p - data >= 2 && p[-1] == '\r' && p[-2] == '\n') return true;
  }
  return false;
}

namespace {

ParseResult bad_name(const char* line, const char* at) {
  switch (*at) {
    case ' ':
    case '\t':
      return error(400, at == line ? "header line starts with space (folding)"
                                   : "space in a field name or before the colon");
    case '\r':
      return error(400, "header line without colon");
    case '\n':
      return error(400, "bare LF");
    default:
      return error(400, "control character in a field name");
  }
}

ParseResult bad_text(char c) {
  if (c == '\n') return error(400, "bare LF");
  return error(400, c == '\0' ? "NUL in a field value" : "control character in a field value");
}

// What a name with other than plain token characters leads to. `flags`: the NameByte bits of it.
ParseResult check_odd_name(const Cursor& cursor, Side side, std::string_view name,
                           std::uint8_t flags, bool& invalid) {
  if (side == Side::response) {
    return (flags & name_foreign) != 0 ? error(400, "invalid character in a field name")
                                       : complete();
  }
  if (imitates_framing(name)) return error(400, "field name imitates a framing field");
  invalid = (flags & (name_foreign | name_odd)) != 0 || !cursor.limits.underscores_in_headers;
  // nginx's name for it: those that are not ignored pass.
  if (!cursor.limits.ignore_invalid_headers) invalid = false;
  return complete();
}

// One line at cursor.p, known not to be the empty line. `field` is filled.
ParseResult parse_line(Cursor& cursor, Side side, Field& field) {
  const char* const line = cursor.p;
  const char* const end = cursor.line_end(line);
  const char* p = line;
  std::uint8_t flags = 0;
  for (; p != end; ++p) {
    const std::uint8_t byte = name_byte(*p);
    if ((byte & name_stop) != 0) break;
    flags |= byte;
  }
  if (p == end) return cursor.ran_out(line, 431);
  if (*p != ':') return bad_name(line, p);
  if (p == line) return error(400, "empty field name");
  const auto name_size = static_cast<std::size_t>(p - line);
  if (name_size > std::numeric_limits<std::uint16_t>::max()) {
    return error(431, "field name too long");
  }
  for (++p; p != end && is_blank(*p); ++p) {
  }
  const char* const value = p;
  p = find_text_end(p, end);
  if (p == end) return cursor.ran_out(line, 431);
  if (*p != '\r') return bad_text(*p);
  if (p + 1 == end) return cursor.ran_out(line, 431);
  if (p[1] != '\n') return error(400, "bare CR");
  const char* value_end = p;
  while (value_end != value && is_blank(value_end[-1])) --value_end;

  field.line = cursor.at(line);
  field.line_size = static_cast<std::uint32_t>(p + 2 - line);
  field.value = cursor.at(value);
  field.value_size = static_cast<std::uint32_t>(value_end - value);
  field.name_size = static_cast<std::uint16_t>(name_size);
  field.id = FieldId::other;
  field.invalid_name = false;
  cursor.p = p + 2;
  if (flags == 0) {
    field.id = field_id_of_token(line, name_size);
    return complete();
  }
  return check_odd_name(cursor, side, {line, name_size}, flags, field.invalid_name);
}

}  // namespace

ParseResult parse_field_lines(Cursor& cursor, Side side, Head& head, KnownLines& known) {
  head.fields.clear();
  for (;;) {
    const char* const line = cursor.p;
    if (line == cursor.end) return cursor.ran_out(line, 431);
    if (*line == '\r') {
      if (line + 1 == cursor.end) return cursor.ran_out(line, 431);
      if (line[1] != '\n') return error(400, "bare CR");
      cursor.p = line + 2;
      head.size = cursor.at(cursor.p);
      head.present = known.present();
      head.repeated = known.repeated();
      return complete();
    }
    if (head.fields.size() >= cursor.limits.fields) return error(431, "too many header lines");
    Field field;
    if (const auto result = parse_line(cursor, side, field);
        result.status != ParseStatus::complete) {
      return result;
    }
    known.note(field.id, static_cast<std::uint32_t>(head.fields.size()));
    head.fields.push_back(field);
  }
}

ParseResult parse_framing(const Head& head, const KnownLines& known, Framing& framing) {
  const std::uint32_t codings = known.count(FieldId::transfer_encoding);
  const std::uint32_t lengths = known.count(FieldId::content_length);
  if (codings != 0) {
    if (lengths != 0) return error(400, "both Transfer-Encoding and Content-Length");
    if (head.version < 11) return error(400, "Transfer-Encoding in HTTP/1.0");
    const Field& field = head.fields[known.first(FieldId::transfer_encoding)];
    if (codings != 1 || !equal_ignoring_case(head.value(field), "chunked")) {
      return error(501, "Transfer-Encoding other than chunked");
    }
    framing = {Framing::Kind::chunked, 0};
  } else if (lengths != 0) {
    if (lengths != 1) return error(400, "more than one Content-Length");
    const auto length = parse_length(head.value(head.fields[known.first(FieldId::content_length)]));
    if (!length) return error(400, "invalid Content-Length");
    framing = {Framing::Kind::counted, *length};
  }
  return complete();
}

ConnectionOptions connection_options(const Head& head, const KnownLines& known) {
  ConnectionOptions options;
  std::uint32_t left = known.count(FieldId::connection);
  for (std::size_t i = left == 0 ? 0 : known.first(FieldId::connection); left != 0; ++i) {
    const Field& field = head.fields[i];
    if (field.id != FieldId::connection) continue;
    --left;
    for_each_item(head.value(field), [&options](std::string_view item) {
      if (equal_ignoring_case(item, "close")) {
        options.close = true;
      } else if (equal_ignoring_case(item, "keep-alive")) {
        options.keep_alive = true;
      } else if (equal_ignoring_case(item, "upgrade")) {
        options.upgrade = true;
      } else {
        options.others = true;
      }
    });
  }
  return options;
}

std::optional<std::uint64_t> parse_length(std::string_view text) {
  constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (most - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

bool imitates_framing(std::string_view name) {
  char folded[20];  // longer than the longest name looked for
  std::size_t size = 0;
  for (const char c : name) {
    if ((name_byte(c) & (name_foreign | name_odd)) != 0) continue;
    if (size == sizeof folded) return false;
    folded[size++] = c == '_' ? '-' : c;
  }
  switch (field_id_of_token(folded, size)) {
    case FieldId::host:
    case FieldId::connection:
    case FieldId::content_length:
    case FieldId::transfer_encoding:
      return true;
    default:
      return false;
  }
}

}  // namespace weir::http
