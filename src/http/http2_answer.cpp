#include "http/http2_answer.h"

#include <algorithm>
#include <charconv>

#include "http/http2_request.h"

namespace weir::http {
namespace {

constexpr std::size_t kStatusAt = 9;  // behind "HTTP/1.1 "
constexpr std::size_t kStatusSize = 3;

void lower(std::string& text, std::size_t from, std::size_t to) {
  for (auto at = from; at < to; ++at) {
    if (text[at] >= 'A' && text[at] <= 'Z') text[at] = static_cast<char>(text[at] | 0x20);
  }
}

std::string_view trim(std::string_view value) {
  while (value.starts_with(' ') || value.starts_with('\t')) value.remove_prefix(1);
  while (value.ends_with(' ') || value.ends_with('\t')) value.remove_suffix(1);
  return value;
}

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
  while (at < text_.size()) {
    const auto end = std::min(text_.find("\r\n", at), text_.size());
    const auto colon = text_.find(':', at);
    if (end == at || colon == std::string::npos || colon > end) break;
    lower(text_, at, colon);
    const std::string_view name(text_.data() + at, colon - at);
    const auto value = trim({text_.data() + colon + 1, end - colon - 1});
    at = end + 2;
    if (is_connection_field(name)) continue;
    // It answers a key that the client has never seen.
    if (websocket && name == "sec-websocket-accept") continue;
    if (name == "content-length") {
      std::uint64_t length = 0;
      const auto parsed = std::from_chars(value.data(), value.data() + value.size(), length);
      if (parsed.ec == std::errc()) length_ = length;
    }
    fields_.push_back({name, value});
  }
}

}  // namespace weir::http
