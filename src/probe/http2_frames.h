// Frames of HTTP/2 (RFC 9113 section 4): written, and read from bytes as they come. No I/O; one
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::probe {

enum class FrameType : std::uint8_t {
  data = 0,
  headers = 1,
  priority = 2,
  rst_stream = 3,
  settings = 4,
  push_promise = 5,
  ping = 6,
  goaway = 7,
  window_update = 8,
  continuation = 9,
};

namespace frame_flags {
inline constexpr std::uint8_t end_stream = 0x1;  // data, headers
inline constexpr std::uint8_t ack = 0x1;         // settings, ping
inline constexpr std::uint8_t end_headers = 0x4;
inline constexpr std::uint8_t padded = 0x8;
inline constexpr std::uint8_t priority = 0x20;
}  // namespace frame_flags

struct Frame {
  FrameType type = FrameType::data;  // values beyond the enumerators are to be ignored
  std::uint8_t flags = 0;
  std::uint32_t stream = 0;
  std::string_view payload{};
  [[nodiscard]] bool has(std::uint8_t flag) const { return (flags & flag) != 0; }
};

// What a client sends before anything else.
inline constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

void add_frame(std::string& out, const Frame& frame);
// Four bytes, the highest first.
void add_number(std::string& out, std::uint32_t number);
[[nodiscard]] std::uint32_t number_at(std::string_view bytes, std::size_t at);
// The payload without padding and priority; nullopt: the lengths do not fit.
[[nodiscard]] std::optional<std::string_view> content_of(const Frame& frame);

class FrameReader {
 public:
  static constexpr std::size_t kHeader = 9;
  static constexpr std::size_t kMostPayload = 16 * 1024;  // unless settings say more: they do not

  void give(std::string_view bytes) { bytes_.append(bytes); }
  // The next whole frame, valid until the next call; nullopt: more bytes are needed, or the frame
  // is too large.
  [[nodiscard]] std::optional<Frame> next();
  [[nodiscard]] bool too_large() const { return too_large_; }
  [[nodiscard]] std::string_view rest() const { return std::string_view(bytes_).substr(taken_); }

 private:
  std::string bytes_;
  std::size_t taken_ = 0;  // of the frames handed out
  bool too_large_ = false;
};

}  // namespace weir::probe
