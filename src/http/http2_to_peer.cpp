#include "http/http2_to_peer.h"

#include <algorithm>
#include <charconv>

#include "http/chars.h"
#include "http/http2_request.h"

namespace weir::http {
namespace {

constexpr std::size_t kAuthorityAt = 3;  // behind :method, :scheme and :path

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
  if (!read_lines(end + 2, false)) return false;
  if (has_authority_) {
    fields_.insert(fields_.begin() + kAuthorityAt, {":authority", authority_});
  }
  return true;
}

void Http2ToPeer::read_trailers(std::string_view lines) {
  text_.assign(lines);
  fields_.clear();
  static_cast<void>(read_lines(0, true));
}

bool Http2ToPeer::read_lines(std::size_t at, bool trailers) {
  while (at < text_.size()) {
    const auto end = text_.find("\r\n", at);
    if (end == std::string::npos) return false;
    if (end == at) return true;
    const auto colon = text_.find(':', at);
    if (colon == std::string::npos || colon > end) return false;
    lower(text_, at, colon);
    const std::string_view name(text_.data() + at, colon - at);
    const auto value = trim({text_.data() + colon + 1, end - colon - 1});
    if (!trailers) {
      take(name, value);
    } else if (!is_connection_field(name)) {
      fields_.push_back({name, value});
    }
    at = end + 2;
  }
  return trailers;
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
    if (equal_ignoring_case(value, "trailers")) fields_.push_back({"te", "trailers"});
  } else if (!is_connection_field(name)) {
    if (name == "content-length") {
      const auto parsed = std::from_chars(value.data(), value.data() + value.size(), length_);
      if (parsed.ec == std::errc()) body_ = length_ > 0 ? Body::counted : Body::none;
    }
    fields_.push_back({name, value});
  }
}

}  // namespace weir::http
