// An answer of HTTP/2 as the head, and the trailers, that HTTP/1.1 would have (RFC 9113 section
// 8.3.2): what parse_response() reads, so that all that follows is the same for both. One a
// connection, since one field block is received at a time; its memory stays. Worker thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::http {

class Http2FromPeer {
 public:
  // A new field block, of at most `most` bytes as section 6.5.2 counts them.
  void begin(std::size_t most, bool trailers);

  enum class Added : std::uint8_t { ok, malformed, too_large };
  // A field in the order received, its name in lower case.
  Added add(std::string_view name, std::string_view value);

  // The head is complete; 0: it had no status.
  [[nodiscard]] int status() const { return status_; }
  // What it is the answer to and how it goes on.
  struct Rest {
    bool to_head = false;   // the request's method was HEAD
    bool ends = false;      // nothing follows
    bool trailers = false;  // those behind a body of known length count more than the length
  };
  // How the body is framed that follows.
  enum class Body : std::uint8_t { none, counted, chunked };
  // Appends the head to `out`. 1xx: no body.
  Body write(const Rest& rest, std::string& out) const;
  // Lines, each with its CRLF.
  [[nodiscard]] const std::string& trailers() const { return lines_; }

 private:
  std::size_t most_ = 0;
  std::size_t size_ = 0;
  bool trailers_ = false;
  int status_ = 0;
  std::string lines_;   // but for Content-Length
  std::string length_;  // its value
  bool grpc_ = false;   // of the content's type
};

}  // namespace weir::http
