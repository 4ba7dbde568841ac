// The chunked coding (RFC 9112 section 7.1), strictly: CRLF only, bounded extensions and trailers,
// no size overflow, no framing fields in trailers. No I/O, no allocation; one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::http {

class ChunkedDecoder {
 public:
  struct Limits {
    std::uint32_t line = 4096;             // bytes of a chunk-size line with its extensions
    std::uint32_t trailers = 16 * 1024;    // bytes of all trailer lines
    std::uint64_t extensions = 64 * 1024;  // bytes of extensions in the whole body
  };
  enum class Status : std::uint8_t {
    more,  // all of the input was used up, the body goes on
    data,  // next() only: `data` is a piece of the body; call again with what follows `consumed`
    done,  // the body, trailers included, ends after `consumed`
    error,
  };
  struct Step {
    Status status = Status::more;
    std::size_t consumed = 0;
    std::string_view data;
    const char* reason = "";  // error only
  };

  ChunkedDecoder() = default;
  explicit ChunkedDecoder(const Limits& limits) : limits_(limits) {}

  // Takes framing, and at most one piece of data, off the front of `in`.
  [[nodiscard]] Step next(std::string_view in);
  // Runs over `in` without handing out data: for bodies passed on as they came.
  // Never returns Status::data.
  [[nodiscard]] Step skim(std::string_view in);
  // Bytes of data seen so far.
  [[nodiscard]] std::uint64_t decoded() const { return decoded_; }
  // Bytes of trailer lines taken so far, and of the empty line after them (0, 1 or 2): what a step
  // took of them stands, in this order, at the end of what it consumed.
  [[nodiscard]] std::uint32_t trailer_bytes() const { return trailers_; }
  [[nodiscard]] std::uint32_t end_bytes() const {
    return state_ == State::done ? 2U : state_ == State::end_lf ? 1U : 0U;
  }

 private:
  enum class State : std::uint8_t {
    size_first,      // first digit of a chunk-size
    size,            // more digits, or what follows them
    size_blank,      // blanks after the size: only before ';'
    ext_name_start,  // after ';' and blanks
    ext_name,
    ext_name_blank,   // blanks after the name: before '=' or ';'
    ext_value_start,  // after '=' and blanks
    ext_value,        // a token
    ext_quoted,       // inside a quoted-string
    ext_quoted_pair,  // after '\\' in it
    ext_value_end,    // after a quoted-string
    ext_value_blank,  // blanks after a value: only before ';'
    size_lf,          // after the CR of the line
    data,             // `left_` bytes to come
    data_cr,
    data_lf,
    trailer_start,  // first byte of a trailer line, or of the empty line
    trailer_name,
    trailer_value,
    trailer_lf,  // after the CR of a trailer line
    end_lf,      // after the CR of the empty line
    done,
    failed,
  };

  // Takes one byte that is not data. Null, or what is wrong with it.
  const char* take(char c);
  const char* take_size(char c);
  const char* take_extension(char c);
  const char* take_trailer(char c);
  // A byte of a chunk-size line or trailer counts against its limits.
  const char* count_line_byte();
  const char* count_extension_byte();
  const char* count_trailer_byte();
  void end_size_line();
  const char* end_trailer_name();
  Step fail(std::size_t consumed, const char* reason);
  template <bool deliver>
  Step run(std::string_view in);

  static constexpr std::size_t name_most = 32;  // longer than the longest forbidden trailer name

  Limits limits_;
  std::uint64_t decoded_ = 0;
  State state_ = State::size_first;
  std::uint8_t digits_ = 0;             // of the chunk-size
  std::uint8_t name_size_ = 0;          // up to name_most + 1
  std::uint32_t line_ = 0;              // bytes of the chunk-size line
  std::uint32_t trailers_ = 0;          // bytes of trailer lines
  std::uint64_t extensions_ = 0;        // bytes of extensions in the whole body
  std::uint64_t left_ = 0;              // the chunk-size, then bytes of data to come
  const char* reason_ = "";             // of the error
  std::array<char, name_most> name_{};  // the name of the trailer line, '_' as '-'
};

}  // namespace weir::http
