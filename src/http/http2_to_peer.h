// The head of a request as weir writes it for a peer of HTTP/1.1, as the fields of HTTP/2 (RFC 9113
// section 8.3.1): Host becomes :authority, nothing about the connection is left. One a connection;
// its memory stays. Worker thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::http {

class Http2ToPeer {
 public:
  struct Field {
    std::string_view name;
    std::string_view value;
  };
  // How the body is framed that follows the head.
  enum class Body : std::uint8_t { none, counted, chunked };

  // Takes a head that weir has written: request line, fields, empty line. The fields are valid
  // until the next one. False: it is none.
  [[nodiscard]] bool read(std::string_view head, bool secure);
  // Trailer lines, each with its CRLF.
  void read_trailers(std::string_view lines);

  // Those of a head begin with :method, :scheme, :path and, if there is a Host, :authority.
  [[nodiscard]] const std::vector<Field>& fields() const { return fields_; }
  [[nodiscard]] Body body() const { return body_; }
  [[nodiscard]] std::uint64_t length() const { return length_; }  // of a counted one
  [[nodiscard]] bool is_head() const { return is_head_; }         // the method

 private:
  void take(std::string_view name, std::string_view value);

  std::string text_;
  std::vector<Field> fields_;
  std::string_view authority_;
  bool has_authority_ = false;
  bool is_head_ = false;
  Body body_ = Body::none;
  std::uint64_t length_ = 0;
};

}  // namespace weir::http
