// The head of an answer of HTTP/1.1 as the fields of HTTP/2 (RFC 9113 section 8.3.2): names in
// lower case, nothing about the connection. One a connection; its memory stays. Worker thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::http {

class Http2Answer {
 public:
  struct Field {
    std::string_view name;
    std::string_view value;
  };

  // Takes a head that weir has written: status line, fields, empty line. The fields are valid
  // until the next one. `websocket`: one that switches protocols becomes a 200 (RFC 8441 section
  // 5).
  void read(std::string_view head, bool websocket);
  // Trailer lines, each with its CRLF.
  void read_trailers(std::string_view lines);

  [[nodiscard]] int status() const { return status_; }
  // The first one of a head is :status.
  [[nodiscard]] const std::vector<Field>& fields() const { return fields_; }
  // Content-Length, if there is one.
  [[nodiscard]] std::optional<std::uint64_t> length() const { return length_; }

 private:
  void read_lines(std::size_t at, bool websocket);

  std::string text_;
  std::vector<Field> fields_;
  int status_ = 0;
  std::optional<std::uint64_t> length_;
};

}  // namespace weir::http
