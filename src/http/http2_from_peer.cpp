#include "http/http2_from_peer.h"

#include <algorithm>
#include <charconv>

#include "http/chars.h"
#include "http/http2_request.h"
#include "http/status.h"

namespace weir::http {
namespace {

constexpr std::size_t kFieldCost = 32;  // of a field besides its bytes (section 6.5.2)
constexpr std::string_view kGrpc = "application/grpc";

bool is_value(std::string_view value) {
  return value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

bool is_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return is_token_char(c) && (c < 'A' || c > 'Z');
  });
}

}  // namespace

void Http2FromPeer::begin(std::size_t most, bool trailers) {
  most_ = most;
  trailers_ = trailers;
  size_ = 0;
  status_ = 0;
  lines_.clear();
  length_.clear();
  grpc_ = false;
}

Http2FromPeer::Added Http2FromPeer::add(std::string_view name, std::string_view value) {
  size_ += name.size() + value.size() + kFieldCost;
  if (size_ > most_) return Added::too_large;
  if (trailers_) {
    Http2Request::append_trailer(name, value, lines_);
    return Added::ok;
  }
  if (name == ":status") {
    const auto parsed = std::from_chars(value.data(), value.data() + value.size(), status_);
    const bool good = parsed.ec == std::errc() && value.size() == 3 &&
                      parsed.ptr == value.data() + value.size() && status_ >= 100;
    // 101 is of HTTP/1.1 alone (section 8.6).
    return good && status_ != 101 ? Added::ok : Added::malformed;
  }
  if (!is_name(name) || !is_value(value) || is_connection_field(name)) return Added::malformed;
  if (name == "content-length") {
    length_.assign(value);
    return Added::ok;
  }
  if (name == "content-type") grpc_ = equal_ignoring_case(value.substr(0, kGrpc.size()), kGrpc);
  lines_.append(name).append(": ").append(value).append("\r\n");
  return Added::ok;
}

Http2FromPeer::Body Http2FromPeer::write(const Rest& rest, std::string& out) const {
  out.append("HTTP/1.1 ").append(std::to_string(status_)).append(" ");
  out.append(reason_phrase(status_)).append("\r\n").append(lines_);
  auto body = Body::none;
  if (status_ < 200 || status_ == 204) {
    // Neither has one, nor a length of one.
  } else if (rest.to_head || status_ == 304) {
    if (!length_.empty()) out.append("content-length: ").append(length_).append("\r\n");
  } else if (rest.ends) {
    out.append("content-length: ").append(length_.empty() ? "0" : length_).append("\r\n");
  } else if (!length_.empty() && !(rest.trailers && grpc_)) {
    body = Body::counted;
    out.append("content-length: ").append(length_).append("\r\n");
  } else {
    body = Body::chunked;
    out.append("transfer-encoding: chunked\r\n");
  }
  out.append("\r\n");
  return body;
}

}  // namespace weir::http
