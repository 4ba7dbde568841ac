#include "probe/grpc_dialogue.h"

#include <array>
#include <charconv>

#include "probe/verdict.h"

namespace weir::probe {
namespace {

using upstream::CheckLayer;
using upstream::CheckResult;

constexpr std::uint32_t kStream = 1;

constexpr std::array<const char*, 17> kCodes = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

// HealthCheckResponse.ServingStatus of grpc.health.v1.
constexpr std::array<const char*, 4> kServing = {"UNKNOWN", "SERVING", "NOT_SERVING",
                                                 "SERVICE_UNKNOWN"};

std::string code_text(std::uint32_t code) {
  std::string text = std::to_string(code);
  if (code < kCodes.size()) text.append(" (").append(kCodes[code]).append(")");
  return text;
}

// A varint of Protocol Buffers, taken off the front; nullopt: cut off or too long.
std::optional<std::uint64_t> take_varint(std::string_view& in) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !in.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7fu) << shift;
    if ((byte & 0x80u) == 0) return value;
  }
  return std::nullopt;
}

// Field 1 of HealthCheckResponse, 0 if it is not there; nullopt: not a message.
std::optional<std::uint64_t> serving_status(std::string_view message) {
  std::uint64_t status = 0;
  while (!message.empty()) {
    const auto key = take_varint(message);
    if (!key) return std::nullopt;
    std::optional<std::uint64_t> skip = 0;
    switch (*key & 7u) {
      case 0: {
        const auto value = take_varint(message);
        if (!value) return std::nullopt;
        if (*key >> 3 == 1) status = *value;
        break;
      }
      case 1:
        skip = 8;
        break;
      case 2:
        skip = take_varint(message);
        break;
      case 5:
        skip = 4;
        break;
      default:
        return std::nullopt;
    }
    if (!skip || *skip > message.size()) return std::nullopt;
    message.remove_prefix(static_cast<std::size_t>(*skip));
  }
  return status;
}

// HealthCheckRequest with its prefix: not compressed, its size.
std::string request_message(const std::string& service) {
  std::string message;
  if (!service.empty()) {
    message += '\x0a';
    std::size_t size = service.size();
    for (; size >= 0x80; size >>= 7) message += static_cast<char>(size % 0x80 + 0x80);
    message += static_cast<char>(size);
    message += service;
  }
  std::string out(1, '\0');
  add_number(out, static_cast<std::uint32_t>(message.size()));
  return out + message;
}

}  // namespace

GrpcDialogue::GrpcDialogue(const config::HealthCheckConfig& check, const upstream::PeerSpec& peer)
    : check_(check), host_(check_host(check, peer)) {}

std::string GrpcDialogue::opening() {
  std::string settings;
  settings.append("\0\x1", 2);  // SETTINGS_HEADER_TABLE_SIZE: none
  add_number(settings, 0);
  settings.append("\0\x2", 2);  // SETTINGS_ENABLE_PUSH: no
  add_number(settings, 0);
  std::string head;
  hpack_add(head, ":method", "POST");
  hpack_add(head, ":scheme", check_.tls != nullptr ? "https" : "http");
  hpack_add(head, ":path", "/grpc.health.v1.Health/Check");
  hpack_add(head, ":authority", host_);
  hpack_add(head, "content-type", "application/grpc");
  hpack_add(head, "te", "trailers");
  hpack_add(head, "user-agent", "weir (health check)");
  const std::string message = request_message(check_.grpc_service);
  std::string out(kHttp2Preface);
  add_frame(out, {.type = FrameType::settings, .payload = settings});
  add_frame(out, {.type = FrameType::headers,
                  .flags = frame_flags::end_headers,
                  .stream = kStream,
                  .payload = head});
  add_frame(out, {.type = FrameType::data,
                  .flags = frame_flags::end_stream,
                  .stream = kStream,
                  .payload = message});
  return out;
}

CheckResult GrpcDialogue::broken(const std::string& why) {
  return {.layer = CheckLayer::response, .detail = "invalid answer: " + why};
}

GrpcDialogue::Result GrpcDialogue::take(std::string_view bytes, std::string& reply) {
  frames_.give(bytes);
  if (!greeted_ && frames_.rest().starts_with("HTTP/")) {
    return broken("the peer speaks HTTP/1, gRPC needs HTTP/2");
  }
  while (const auto frame = frames_.next()) {
    if (!greeted_ && frame->type != FrameType::settings) return broken("not HTTP/2");
    greeted_ = true;
    if (in_head_ != (frame->type == FrameType::continuation)) {
      return broken("a head that is interrupted");
    }
    if (auto verdict = take_frame(*frame, reply)) return verdict;
  }
  if (frames_.too_large()) return broken(greeted_ ? "a frame is too large" : "not HTTP/2");
  return std::nullopt;
}

GrpcDialogue::Result GrpcDialogue::take_frame(const Frame& frame, std::string& reply) {
  switch (frame.type) {
    case FrameType::settings:
    case FrameType::ping:
      if (!frame.has(frame_flags::ack)) {
        const bool pong = frame.type == FrameType::ping;
        add_frame(reply, {.type = frame.type,
                          .flags = frame_flags::ack,
                          .payload = pong ? frame.payload : std::string_view{}});
      }
      return std::nullopt;
    case FrameType::headers:
    case FrameType::continuation:
      return frame.stream == kStream ? take_head(frame) : broken("a head nobody asked for");
    case FrameType::data:
      return frame.stream == kStream ? take_data(frame) : std::nullopt;
    case FrameType::rst_stream:
      if (frame.stream != kStream || frame.payload.size() < 4) return std::nullopt;
      return CheckResult{
          .layer = CheckLayer::response,
          .detail = "call refused, error " + std::to_string(number_at(frame.payload, 0))};
    case FrameType::goaway:
      // With the call among those that are still answered it is no more than an announcement.
      if (frame.payload.size() >= 8 && (number_at(frame.payload, 0) & 0x7fffffffu) >= kStream) {
        return std::nullopt;
      }
      return CheckResult{.layer = CheckLayer::response, .detail = "the peer goes away"};
    default:
      return std::nullopt;
  }
}

GrpcDialogue::Result GrpcDialogue::take_head(const Frame& frame) {
  auto content = std::optional(frame.payload);
  if (frame.type == FrameType::headers) {
    content = content_of(frame);
    block_.clear();
    last_ = frame.has(frame_flags::end_stream);
  }
  if (!content) return broken("padding longer than its frame");
  block_.append(*content);
  if (block_.size() > kLimit) return broken("a head is too large");
  in_head_ = !frame.has(frame_flags::end_headers);
  return in_head_ ? std::nullopt : end_head();
}

GrpcDialogue::Result GrpcDialogue::end_head() {
  std::vector<HpackField> fields;
  if (!hpack_read(block_, fields)) return broken("a head that is not HPACK");
  for (auto& field : fields) {
    if (field.name == ":status") http_status_ = std::move(field.value);
    if (field.name == "grpc-status") grpc_status_ = std::move(field.value);
    if (field.name == "grpc-message") grpc_message_ = std::move(field.value);
  }
  return last_ ? end() : std::nullopt;
}

GrpcDialogue::Result GrpcDialogue::take_data(const Frame& frame) {
  const auto content = content_of(frame);
  if (!content) return broken("padding longer than its frame");
  message_.append(*content);
  // Within the window that every stream begins with: it need not be made wider.
  if (message_.size() > kLimit - FrameReader::kMostPayload)
    return broken("the message is too large");
  return frame.has(frame_flags::end_stream) ? end() : std::nullopt;
}

GrpcDialogue::Result GrpcDialogue::end() {
  if (http_status_ != "200") {
    return CheckResult{.layer = CheckLayer::status,
                       .detail = "got HTTP status " + excerpt(http_status_) + ", want 200"};
  }
  std::uint32_t status = 0;
  const auto* end = grpc_status_.data() + grpc_status_.size();
  const auto [stop, error] = std::from_chars(grpc_status_.data(), end, status);
  if (error != std::errc{} || stop != end) return broken("no grpc-status");
  return status == 0 ? judge_message() : judge_status(status);
}

CheckResult GrpcDialogue::judge_status(std::uint32_t status) const {
  CheckResult result{.layer = CheckLayer::ok, .detail = "got grpc-status " + code_text(status)};
  if (check_.grpc_status != 0 && status == check_.grpc_status) return result;
  result.layer = CheckLayer::status;
  if (!grpc_message_.empty()) result.detail += " " + excerpt(grpc_message_);
  result.detail += ", want 0";
  if (check_.grpc_status != 0) result.detail += " or " + std::to_string(check_.grpc_status);
  return result;
}

CheckResult GrpcDialogue::judge_message() const {
  constexpr std::size_t prefix = 5;
  if (message_.size() < prefix || message_[0] != '\0' ||
      number_at(message_, 1) != message_.size() - prefix) {
    return broken("no message of its own");
  }
  const auto status = serving_status(std::string_view(message_).substr(prefix));
  if (!status) return broken("not a HealthCheckResponse");
  CheckResult result{.layer = *status == 1 ? CheckLayer::ok : CheckLayer::status};
  result.detail =
      "got " + (*status < kServing.size() ? kServing[*status] : std::to_string(*status));
  if (*status != 1) result.detail += ", want SERVING";
  return result;
}

CheckResult GrpcDialogue::ended() {
  return {.layer = CheckLayer::response,
          .detail = greeted_ ? "connection closed inside the answer"
                             : "connection closed without an answer"};
}

}  // namespace weir::probe
