// What the parsers of both heads share: when to parse, the header lines, and the rules of the
// fields that both know. Internal to http/; no state of its own; the calling thread's.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "http/head.h"

namespace weir::http {

// field_id() for a name that is known to have token characters only.
[[nodiscard]] FieldId field_id_of_token(const char* name, std::size_t size);

[[nodiscard]] constexpr ParseResult complete() { return {ParseStatus::complete, 0, ""}; }
[[nodiscard]] constexpr ParseResult need_more() { return {ParseStatus::need_more, 0, ""}; }
[[nodiscard]] constexpr ParseResult error(std::uint16_t http_status, const char* reason) {
  return {ParseStatus::error, http_status, reason};
}

// A position in a head, and where the bytes of it that may be looked at end. All errors are told
// by the bytes before them, never by how many follow, so a head gives the same answer however it
// is cut into pieces.
struct Cursor {
  Cursor(std::string_view bytes, const Limits& limits_);

  const char* base;
  const char* p;
  const char* end;  // never more than limits.head bytes after base
  const Limits& limits;

  [[nodiscard]] std::uint32_t at(const char* q) const {
    return static_cast<std::uint32_t>(q - base);
  }
  // The end of what may be looked at of a line that starts at `line`.
  [[nodiscard]] const char* line_end(const char* line) const;
  // Why a line stopped at line_end(line): more bytes are needed, or a limit is reached (then
  // with `http_status`).
  [[nodiscard]] ParseResult ran_out(const char* line, std::uint16_t http_status) const;
};

// Whether `bytes` should be parsed now: true for the first piece, when the start line or the head
// has ended, each time the size has doubled, and when limits.head is reached. So a sender of single
// bytes costs no more than about three passes, and is refused not much later than one of all bytes.
[[nodiscard]] bool worth_parsing(std::string_view bytes, const Limits& limits, ParseState& state);

// The fields of which the rules of framing and connection are about: FieldId host .. keep_alive.
class KnownLines {
 public:
  void note(FieldId id, std::uint32_t index) {
    const auto i = static_cast<std::size_t>(id);
    repeated_ |= present_ & std::uint64_t{1} << i;
    present_ |= std::uint64_t{1} << i;
    if (i == 0 || i >= size) return;
    if (count_[i]++ == 0) first_[i] = index;
  }
  // Of all fields there are, a bit for each FieldId.
  [[nodiscard]] std::uint64_t present() const { return present_; }
  // Of those that there are more than one of.
  [[nodiscard]] std::uint64_t repeated() const { return repeated_; }
  [[nodiscard]] std::uint32_t count(FieldId id) const {
    return count_[static_cast<std::size_t>(id)];
  }
  // Index in Head::fields of the first field with this id; only if count() > 0.
  [[nodiscard]] std::uint32_t first(FieldId id) const {
    return first_[static_cast<std::size_t>(id)];
  }

 private:
  static constexpr std::size_t size = static_cast<std::size_t>(FieldId::keep_alive) + 1;
  std::array<std::uint32_t, size> count_{};
  std::array<std::uint32_t, size> first_{};
  std::uint64_t present_ = 0;
  std::uint64_t repeated_ = 0;
};

enum class Side : std::uint8_t { request, response };

// Parses header lines from cursor.p to the empty line, and sets head.size.
[[nodiscard]] ParseResult parse_field_lines(Cursor& cursor, Side side, Head& head,
                                            KnownLines& known);

// The common rules of Transfer-Encoding and Content-Length (RFC 9112 sections 6.1 to 6.3, read
// strictly). Without either, `framing` is left as it is.
[[nodiscard]] ParseResult parse_framing(const Head& head, const KnownLines& known,
                                        Framing& framing);

// What all Connection fields of a head say.
struct ConnectionOptions {
  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;
  bool others = false;
};
[[nodiscard]] ConnectionOptions connection_options(const Head& head, const KnownLines& known);

// 1*DIGIT up to 2^63 - 1; nothing else.
[[nodiscard]] std::optional<std::uint64_t> parse_length(std::string_view text);

// Whether a name that is no plain token would be read as a framing or routing field by a
// recipient that drops odd characters, or that takes '_' for '-' (as CGI does).
[[nodiscard]] bool imitates_framing(std::string_view name);

}  // namespace weir::http
