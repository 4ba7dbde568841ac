#include "http/http2_request.h"

#include <algorithm>
#include <array>

#include "http/chars.h"

namespace weir::http {
namespace {

bool is_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return is_token_char(c) && (c < 'A' || c > 'Z');
  });
}

bool is_value(std::string_view value) {
  return value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

}  // namespace

bool is_connection_field(std::string_view name) {
  static constexpr std::array<std::string_view, 5> kNames = {
      "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

void Http2Request::begin(std::size_t most) {
  most_ = most;
  size_ = 0;
  method_.clear();
  path_.clear();
  authority_.clear();
  protocol_.clear();
  host_.clear();
  cookie_.clear();
  fields_.clear();
  has_authority_ = has_host_ = two_hosts_ = has_length_ = cut_ = false;
}

Http2Request::Added Http2Request::add(std::string_view name, std::string_view value) {
  const auto before = size_;
  size_ += name.size() + value.size() + kFieldCost;
  if (size_ > most_ * kFloodFactor) return Added::flood;
  cut_ = cut_ || before > most_;
  if (cut_) return Added::ok;
  if (!is_value(value)) return Added::malformed;
  if (name.starts_with(':')) {
    add_pseudo(name, value);
    return Added::ok;
  }
  if (!is_name(name) || is_connection_field(name)) return Added::malformed;
  if (name == "cookie") {
    if (!cookie_.empty()) cookie_.append("; ");
    cookie_.append(value);
    return Added::ok;
  }
  if (name == "host") {
    two_hosts_ = two_hosts_ || has_host_;
    has_host_ = true;
    host_.assign(value);
    return Added::ok;
  }
  if (name == "sec-websocket-key" && websocket()) return Added::ok;  // write() has another one
  if (name == "content-length") has_length_ = true;
  fields_.append(name).append(": ").append(value).append("\r\n");
  return Added::ok;
}

void Http2Request::add_pseudo(std::string_view name, std::string_view value) {
  if (name == ":method") {
    method_.assign(value);
  } else if (name == ":path") {
    path_.assign(value);
  } else if (name == ":authority") {
    has_authority_ = true;
    authority_.assign(value);
  } else if (name == ":protocol") {
    protocol_.assign(value);
  }
}

void Http2Request::write(Body body, std::string_view websocket_key, std::string& out) const {
  const bool tunnel = websocket();
  out.append(tunnel ? std::string_view("GET") : std::string_view(method_)).append(" ");
  // CONNECT without :protocol has no path, only where to (section 8.5).
  const bool connect = !tunnel && method_ == "CONNECT";
  out.append(connect ? authority_ : path_).append(" HTTP/2.0\r\n");
  if (has_authority_) out.append("Host: ").append(authority_).append("\r\n");
  // Two that differ are two readings: the parser refuses them (section 8.3.1).
  if (has_host_ && (!has_authority_ || two_hosts_ || host_ != authority_)) {
    out.append("Host: ").append(host_).append("\r\n");
    if (two_hosts_) out.append("Host: ").append(host_).append("\r\n");
  }
  out.append(fields_);
  if (!cookie_.empty()) out.append("cookie: ").append(cookie_).append("\r\n");
  if (tunnel) {
    out.append("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ");
    out.append(websocket_key).append("\r\n");
  } else if (body == Body::some && !has_length_) {
    out.append("Transfer-Encoding: chunked\r\n");
  }
  // Nothing that lacks a field may pass for whole.
  if (cut_) out.append("cut: ").append(most_, '-').append("\r\n");
  out.append("\r\n");
}

void Http2Request::append_trailer(std::string_view name, std::string_view value, std::string& out) {
  if (!is_name(name) || !is_value(value) || is_connection_field(name)) return;
  if (name == "content-length" || name == "host" || name == "trailer") return;
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace weir::http
