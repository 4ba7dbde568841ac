// Where frames of HTTP/2 begin in what a client sends, whether a block of fields is on its way, and
// whether streams are opened in order: what nghttp2 does not tell. Worker thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace weir::http {

class Http2Scanner {
 public:
  static constexpr std::size_t kHeadSize = 9;      // of a frame
  static constexpr std::size_t kPrefaceSize = 24;  // before the first one

  // Calls `each(type)` for every frame whose head has become complete.
  template <class Each>
  void scan(std::string_view bytes, Each each) {
    while (!bytes.empty()) {
      if (left_ > 0) {
        const auto skipped = std::min(left_, bytes.size());
        left_ -= skipped;
        bytes.remove_prefix(skipped);
        continue;
      }
      const auto taken = std::min(kHeadSize - have_, bytes.size());
      std::copy_n(bytes.data(), taken, head_.begin() + static_cast<std::ptrdiff_t>(have_));
      have_ += taken;
      bytes.remove_prefix(taken);
      if (have_ < kHeadSize) return;
      have_ = 0;
      each(begin());
    }
  }

  // HEADERS have begun, and their last frame has not ended.
  [[nodiscard]] bool in_block() const { return block_ && (open_ || left_ > 0); }
  // HEADERS came for a stream that a later one had passed over (RFC 9113 section 5.1.1). Only the
  // last gap is known; streams before it are for nghttp2, which takes them for closed.
  [[nodiscard]] bool out_of_order() const { return out_of_order_; }

 private:
  static constexpr std::uint8_t kHeaders = 1, kContinuation = 9, kEndHeaders = 4;

  std::uint8_t begin() {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(head_[i]); };
    left_ =
        static_cast<std::size_t>(byte(0)) << 16 | static_cast<std::size_t>(byte(1)) << 8 | byte(2);
    const auto type = byte(3);
    block_ = type == kHeaders || type == kContinuation;
    open_ = block_ && (byte(4) & kEndHeaders) == 0;
    if (type == kHeaders) {
      note_stream(static_cast<std::uint32_t>(byte(5) & 0x7fU) << 24 |
                  static_cast<std::uint32_t>(byte(6)) << 16 |
                  static_cast<std::uint32_t>(byte(7)) << 8 | byte(8));
    }
    return type;
  }

  void note_stream(std::uint32_t id) {
    if (id % 2 == 0) return;
    if (id < next_stream_) {
      out_of_order_ = out_of_order_ || (id >= gap_begin_ && id < gap_end_);
      return;
    }
    if (id > next_stream_) {
      gap_begin_ = next_stream_;
      gap_end_ = id;
    }
    next_stream_ = id + 2;
  }

  std::size_t left_ = kPrefaceSize;  // bytes of the frame that are to come
  std::array<char, kHeadSize> head_{};
  std::size_t have_ = 0;  // bytes of a head
  bool block_ = false;
  bool open_ = false;
  std::uint32_t next_stream_ = 1;
  std::uint32_t gap_begin_ = 0, gap_end_ = 0;
  bool out_of_order_ = false;
};

}  // namespace weir::http
