#include "http/http2_to_peer.h"

#include <algorithm>
#include <charconv>

#include "http/chars.h"
#include "http/head.h"
#include "http/http2_lines.h"
#include "http/http2_request.h"

namespace weir::http {
namespace {

constexpr std::size_t kAuthorityAt = 3;  // behind :method, :scheme and :path

}  // namespace

bool Http2ToPeer::read(std::string_view head, bool secure) {
  text_.assign(head);
  fields_.clear();
  body_ = Body::none;
  length_ = 0;
  has_authority_ = false;
  const auto end = text_.find("\r\n");
  if (end == std::string::npos) return false;
  const std::string_view line(text_.data(), end);
  const auto method_end = line.find(' ');
  const auto target_end = line.rfind(' ');
  if (method_end == std::string_view::npos || target_end <= method_end + 1) return false;
  const auto method = line.substr(0, method_end);
  is_head_ = method == "HEAD";
  fields_.push_back({":method", method});
  fields_.push_back({":scheme", secure ? "https" : "http"});
  fields_.push_back({":path", line.substr(method_end + 1, target_end - method_end - 1)});
  const auto lines_end = for_each_line(
      text_, end + 2, [&](std::string_view name, std::string_view value) { take(name, value); });
  if (lines_end != LinesEnd::empty_line) return false;
  if (has_authority_) {
    fields_.insert(fields_.begin() + kAuthorityAt, {":authority", authority_});
  }
  return true;
}

void Http2ToPeer::read_trailers(std::string_view lines) {
  text_.assign(lines);
  fields_.clear();
  for_each_line(text_, 0, [&](std::string_view name, std::string_view value) {
    if (!is_connection_field(name)) fields_.push_back({name, value});
  });
}

void Http2ToPeer::take(std::string_view name, std::string_view value) {
  if (name == "transfer-encoding") {
    body_ = Body::chunked;
  } else if (name == "host") {
    // A second one would be another reading of the same request.
    if (!has_authority_) authority_ = value;
    has_authority_ = true;
  } else if (name == "te") {
    // The only word that HTTP/2 has for it (section 8.2.2).
    if (list_has_token(value, "trailers")) fields_.push_back({"te", "trailers"});
  } else if (!is_connection_field(name)) {
    if (name == "content-length") {
      const auto parsed = std::from_chars(value.data(), value.data() + value.size(), length_);
      if (parsed.ec == std::errc()) body_ = length_ > 0 ? Body::counted : Body::none;
    }
    fields_.push_back({name, value});
  }
}

}  // namespace weir::http
