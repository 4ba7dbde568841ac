// The chunked coding (RFC 9112 section 7.1), strictly: CRLF only, bounded extensions and trailers,
// no size overflow, no framing fields in trailers. No I/O, no allocation; one thread.
#pragma once

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

 private:
  Limits limits_;
  std::uint64_t decoded_ = 0;
  // The implementer's state follows.
};

}  // namespace weir::http
