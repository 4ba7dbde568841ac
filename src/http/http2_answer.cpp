#include "http/http2_answer.h"

#include <algorithm>
#include <charconv>

#include "http/http2_lines.h"
#include "http/http2_request.h"

namespace weir::http {
namespace {

constexpr std::size_t kStatusAt = 9;  // behind "HTTP/1.1 "
constexpr std::size_t kStatusSize = 3;

}  // namespace

void Http2Answer::read(std::string_view head, bool websocket) {
  text_.assign(head);
  fields_.clear();
  length_.reset();
  status_ = 0;
  if (text_.size() >= kStatusAt + kStatusSize) {
    const auto* digits = text_.data() + kStatusAt;
    std::from_chars(digits, digits + kStatusSize, status_);
  }
  std::string_view shown(text_.data() + std::min(kStatusAt, text_.size()),
                         std::min(kStatusSize, text_.size()));
  if (websocket && status_ == 101) {
    status_ = 200;
    shown = "200";
  }
  fields_.push_back({":status", shown});
  const auto line_end = text_.find("\r\n");
  if (line_end != std::string::npos) read_lines(line_end + 2, websocket);
}

void Http2Answer::read_trailers(std::string_view lines) {
  text_.assign(lines);
  fields_.clear();
  length_.reset();
  read_lines(0, false);
}

void Http2Answer::read_lines(std::size_t at, bool websocket) {
  for_each_line(text_, at, [&](std::string_view name, std::string_view value) {
    if (is_connection_field(name)) return;
    // It answers a key that the client has never seen.
    if (websocket && name == "sec-websocket-accept") return;
    if (name == "content-length") {
      std::uint64_t length = 0;
      const auto parsed = std::from_chars(value.data(), value.data() + value.size(), length);
      if (parsed.ec == std::errc()) length_ = length;
    }
    fields_.push_back({name, value});
  });
}

}  // namespace weir::http
