// A request of HTTP/2 as the head that HTTP/1.1 would have (RFC 9113 section 8.3): what
// parse_request() reads with Limits::http2, so that all that follows is the same for both.
//
// One a connection, since one field block is received at a time; its memory stays. Worker thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weir::http {

class Http2Request {
 public:
  // Each field counts for so many bytes besides its own (RFC 9113 section 6.5.2).
  static constexpr std::size_t kFieldCost = 32;
  // A block of so many times what is kept comes from nobody who wants an answer.
  static constexpr std::size_t kFloodFactor = 8;

  // A new field block. `most`: bytes of it that are kept; beyond these it only grows in number, and
  // the head that is made of it is longer than `most`.
  void begin(std::size_t most);

  enum class Added : unsigned char {
    ok,
    malformed,  // RFC 9113 section 8.2: the stream is to be refused
    flood,      // far beyond `most`: nobody sends this for an answer
  };
  // A field in the order received, its name in lower case. Pseudo-header fields come first, which
  // is not checked here.
  Added add(std::string_view name, std::string_view value);

  // What follows the head.
  enum class Body : unsigned char { none, some };
  // Writes the head. Cookies are joined (section 8.2.3). A body of unknown length is said to be
  // chunked. The WebSocket of RFC 8441 becomes an upgrade with `websocket_key`.
  void write(Body body, std::string_view websocket_key, std::string& out) const;

  // It asks for a WebSocket (RFC 8441 section 5).
  [[nodiscard]] bool websocket() const { return protocol_ == "websocket" && method_ == "CONNECT"; }
  [[nodiscard]] bool has_length() const { return has_length_; }

  // A line of trailers; empty: it is not to pass.
  static void append_trailer(std::string_view name, std::string_view value, std::string& out);

 private:
  void add_pseudo(std::string_view name, std::string_view value);

  std::size_t most_ = 0;
  std::size_t size_ = 0;
  std::string method_;
  std::string path_;
  std::string authority_;
  std::string protocol_;
  std::string host_;
  std::string cookie_;
  std::string fields_;  // lines
  bool has_authority_ = false;
  bool has_host_ = false;
  bool two_hosts_ = false;
  bool has_length_ = false;
  bool cut_ = false;  // fields beyond `most` were left out
};

// Fields about the connection, which HTTP/2 does not have (section 8.2.2). Lower case.
[[nodiscard]] bool is_connection_field(std::string_view name);

}  // namespace weir::http
