#include "probe/http2_frames.h"

namespace weir::probe {

void add_number(std::string& out, std::uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift & 0xff);
}

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  std::uint32_t number = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    number = number << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return number;
}

void add_frame(std::string& out, const Frame& frame) {
  const auto size = static_cast<std::uint32_t>(frame.payload.size());
  add_number(out, size << 8 | static_cast<std::uint32_t>(frame.type));
  out += static_cast<char>(frame.flags);
  add_number(out, frame.stream);
  out += frame.payload;
}

std::optional<std::string_view> content_of(const Frame& frame) {
  auto content = frame.payload;
  std::size_t padding = 0;
  if (frame.has(frame_flags::padded)) {
    if (content.empty()) return std::nullopt;
    padding = static_cast<unsigned char>(content.front());
    content.remove_prefix(1);
  }
  if (frame.type == FrameType::headers && frame.has(frame_flags::priority)) {
    if (content.size() < 5) return std::nullopt;
    content.remove_prefix(5);
  }
  if (padding > content.size()) return std::nullopt;
  content.remove_suffix(padding);
  return content;
}

std::optional<Frame> FrameReader::next() {
  bytes_.erase(0, taken_);
  taken_ = 0;
  if (bytes_.size() < kHeader) return std::nullopt;
  const std::string_view bytes = bytes_;
  const auto size = number_at(bytes, 0) >> 8;
  too_large_ = size > kMostPayload;
  if (too_large_ || bytes.size() < kHeader + size) return std::nullopt;
  taken_ = kHeader + size;
  return Frame{.type = static_cast<FrameType>(bytes[3]),
               .flags = static_cast<std::uint8_t>(bytes[4]),
               .stream = number_at(bytes, 5) & 0x7fffffffu,
               .payload = bytes.substr(kHeader, size)};
}

}  // namespace weir::probe
