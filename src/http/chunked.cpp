#include "http/chunked.h"

#include <algorithm>

#include "http/chars.h"
#include "http/field_lines.h"

namespace weir::http {
namespace {

constexpr std::uint8_t digits_most = 16;
constexpr std::uint64_t size_most = std::uint64_t{1} << 62;

// RFC 9110 section 6.5.1: no fields for framing, routing, authentication, request modifiers,
// response control or content processing. A recipient that merges trailers into the header would
// take these for the sender's.
bool forbidden_trailer(FieldId id) {
  switch (id) {
    case FieldId::other:
    case FieldId::date:
    case FieldId::server:
    case FieldId::user_agent:
    case FieldId::referer:
    case FieldId::etag:
    case FieldId::last_modified:
    case FieldId::accept_encoding:
    case FieldId::x_pad:
      return false;
    default:
      return true;
  }
}

// Further names of that section which the heads' parsers need no id for.
bool forbidden_trailer(std::string_view name) {
  constexpr std::string_view names[] = {"content-range",
                                        "max-forwards",
                                        "www-authenticate",
                                        "proxy-authenticate",
                                        "authentication-info",
                                        "proxy-authentication-info",
                                        "if-match",
                                        "if-unmodified-since",
                                        "age",
                                        "expires",
                                        "pragma",
                                        "retry-after",
                                        "warning",
                                        "sec-websocket-key",
                                        "http2-settings"};
  return std::any_of(std::begin(names), std::end(names), [name](std::string_view forbidden) {
    return equal_ignoring_case(name, forbidden);
  });
}

}  // namespace

const char* ChunkedDecoder::count_line_byte() {
  return ++line_ > limits_.line ? "chunk-size line too long" : nullptr;
}

const char* ChunkedDecoder::count_extension_byte() {
  return ++extensions_ > limits_.extensions ? "too many bytes of chunk extensions" : nullptr;
}

const char* ChunkedDecoder::count_trailer_byte() {
  return ++trailers_ > limits_.trailers ? "trailers too long" : nullptr;
}

const char* ChunkedDecoder::take_size(char c) {
  if (const int digit = hex_value(c); digit >= 0 && state_ != State::size_blank) {
    if (digits_ == digits_most) return "chunk size has too many digits";
    ++digits_;
    // Sixteen digits fit; whether the number is too big is told when they have ended.
    left_ = left_ << 4 | static_cast<std::uint64_t>(digit);
    state_ = State::size;
    return nullptr;
  }
  if (state_ == State::size_first) return "chunk without size";
  if (left_ > size_most) return "chunk size too big";
  if (c == ';') {
    state_ = State::ext_name_start;
  } else if (is_blank(c)) {
    state_ = State::size_blank;
  } else if (c == '\r' && state_ == State::size) {
    state_ = State::size_lf;
  } else {
    return c == '\n' ? "bare LF after a chunk size" : "invalid character after a chunk size";
  }
  return c == '\r' ? nullptr : count_extension_byte();
}

// chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] ), RFC 9112 section 7.1.1
const char* ChunkedDecoder::take_extension(char c) {
  constexpr const char* invalid = "invalid chunk extension";
  if (c != '\r') {
    if (const char* reason = count_extension_byte()) return reason;
  }
  switch (state_) {
    case State::ext_name_start:
      if (is_blank(c)) return nullptr;
      if (!is_token_char(c)) return invalid;
      state_ = State::ext_name;
      return nullptr;
    case State::ext_value_start:
      if (is_blank(c)) return nullptr;
      if (c != '"' && !is_token_char(c)) return invalid;
      state_ = c == '"' ? State::ext_quoted : State::ext_value;
      return nullptr;
    case State::ext_quoted:
      if (ends_text(c)) return invalid;
      if (c == '"') state_ = State::ext_value_end;
      if (c == '\\') state_ = State::ext_quoted_pair;
      return nullptr;
    case State::ext_quoted_pair:
      if (ends_text(c)) return invalid;
      state_ = State::ext_quoted;
      return nullptr;
    default:
      break;
  }
  // Inside or after a name or a value.
  const bool of_name = state_ == State::ext_name || state_ == State::ext_name_blank;
  if ((state_ == State::ext_name || state_ == State::ext_value) && is_token_char(c)) return nullptr;
  if (c == ';') {
    state_ = State::ext_name_start;
  } else if (c == '=' && of_name) {
    state_ = State::ext_value_start;
  } else if (is_blank(c)) {
    state_ = of_name ? State::ext_name_blank : State::ext_value_blank;
  } else if (c == '\r' && state_ != State::ext_name_blank && state_ != State::ext_value_blank) {
    state_ = State::size_lf;
  } else {
    return c == '\n' ? "bare LF after a chunk size" : invalid;
  }
  return nullptr;
}

void ChunkedDecoder::end_size_line() {
  state_ = left_ == 0 ? State::trailer_start : State::data;
  digits_ = 0;
  line_ = 0;
}

const char* ChunkedDecoder::end_trailer_name() {
  if (name_size_ == 0) return "trailer without name";
  if (name_size_ <= name_most) {
    const std::string_view name(name_.data(), name_size_);
    if (forbidden_trailer(field_id_of_token(name.data(), name.size())) || forbidden_trailer(name)) {
      return "field not allowed in trailers";
    }
  }
  state_ = State::trailer_value;
  return nullptr;
}

const char* ChunkedDecoder::take_trailer(char c) {
  switch (state_) {
    case State::trailer_start:
      name_size_ = 0;
      state_ = State::trailer_name;
      [[fallthrough]];
    case State::trailer_name:
      if (c == ':') return end_trailer_name();
      if (!is_token_char(c)) return "invalid character in a trailer's name";
      if (name_size_ < name_most) name_[name_size_] = c == '_' ? '-' : c;
      name_size_ = static_cast<std::uint8_t>(std::min<std::size_t>(name_size_ + 1U, name_most + 1));
      return nullptr;
    case State::trailer_value:
      if (c == '\r') {
        state_ = State::trailer_lf;
      } else if (ends_text(c)) {
        return c == '\n' ? "bare LF in trailers" : "control character in a trailer";
      }
      return nullptr;
    default:  // trailer_lf
      if (c != '\n') return "bare CR in trailers";
      state_ = State::trailer_start;
      return nullptr;
  }
}

const char* ChunkedDecoder::take(char c) {
  switch (state_) {
    case State::size_first:
    case State::size:
    case State::size_blank:
      if (const char* reason = count_line_byte()) return reason;
      return take_size(c);
    case State::size_lf:
      end_size_line();
      return c == '\n' ? nullptr : "bare CR after a chunk size";
    case State::data_cr:
      state_ = State::data_lf;
      return c == '\r' ? nullptr : "chunk data longer than its size";
    case State::data_lf:
      state_ = State::size_first;
      return c == '\n' ? nullptr : "bare CR after chunk data";
    case State::trailer_start:
      if (c == '\r') {
        state_ = State::end_lf;
        return nullptr;
      }
      [[fallthrough]];
    case State::trailer_name:
    case State::trailer_value:
    case State::trailer_lf:
      if (const char* reason = count_trailer_byte()) return reason;
      return take_trailer(c);
    case State::end_lf:
      state_ = State::done;
      return c == '\n' ? nullptr : "bare CR in trailers";
    default:  // an extension
      if (const char* reason = count_line_byte()) return reason;
      return take_extension(c);
  }
}

ChunkedDecoder::Step ChunkedDecoder::fail(std::size_t consumed, const char* reason) {
  state_ = State::failed;
  reason_ = reason;
  return {Status::error, consumed, {}, reason};
}

template <bool deliver>
ChunkedDecoder::Step ChunkedDecoder::run(std::string_view in) {
  if (state_ == State::failed) return {Status::error, 0, {}, reason_};
  if (state_ == State::done) return {Status::done, 0, {}, ""};
  for (std::size_t i = 0; i < in.size();) {
    if (state_ == State::data) {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, in.size() - i));
      left_ -= size;
      decoded_ += size;
      if (left_ == 0) state_ = State::data_cr;
      if (deliver) return {Status::data, i + size, in.substr(i, size), ""};
      i += size;
      continue;
    }
    if (const char* reason = take(in[i])) return fail(i, reason);
    ++i;
    if (state_ == State::done) return {Status::done, i, {}, ""};
  }
  return {Status::more, in.size(), {}, ""};
}

ChunkedDecoder::Step ChunkedDecoder::next(std::string_view in) { return run<true>(in); }
ChunkedDecoder::Step ChunkedDecoder::skim(std::string_view in) { return run<false>(in); }

}  // namespace weir::http
