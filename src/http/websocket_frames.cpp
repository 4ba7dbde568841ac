#include "http/websocket_frames.h"

#include <algorithm>

namespace weir::http {

void WebsocketFrames::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    if (left_ > 0) {
      const auto part = std::min<std::uint64_t>(left_, bytes.size());
      left_ -= part;
      bytes.remove_prefix(static_cast<std::size_t>(part));
      continue;
    }
    take(static_cast<std::uint8_t>(bytes.front()));
    bytes.remove_prefix(1);
  }
}

void WebsocketFrames::take(std::uint8_t byte) {
  const std::uint32_t at = head_++;
  if (at == 1) {
    const std::uint32_t size = byte & 0x7f;
    length_bytes_ = size == 127 ? 8 : size == 126 ? 2 : 0;
    length_ = length_bytes_ == 0 ? size : 0;
    wants_ = 2 + length_bytes_ + ((byte & 0x80) != 0 ? 4 : 0);
  } else if (at >= 2 && at < 2 + length_bytes_) {
    length_ = length_ << 8 | byte;
  }
  if (head_ < 2 || head_ < wants_) return;
  left_ = length_;
  head_ = 0;
  wants_ = 2;
}

}  // namespace weir::http
