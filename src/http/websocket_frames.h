// Where the frames of a WebSocket begin and end (RFC 6455 section 5.2), told from the bytes of one
// direction: a close frame of the proxy's own may only stand between two of them. No I/O, no
// allocation; one thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::http {

class WebsocketFrames {
 public:
  void feed(std::string_view bytes);
  // The last frame is complete: another one may follow.
  [[nodiscard]] bool at_boundary() const { return head_ == 0 && left_ == 0; }

  // Close frames with status 1012 "service restart": to a client, and (masked) to a server.
  static constexpr std::string_view kRestartToClient{"\x88\x02\x03\xf4", 4};
  static constexpr std::string_view kRestartToServer{"\x88\x82\x00\x00\x00\x00\x03\xf4", 8};

 private:
  void take(std::uint8_t byte);

  std::uint32_t head_ = 0;   // bytes of the frame's head seen
  std::uint32_t wants_ = 2;  // bytes that it has
  std::uint32_t length_bytes_ = 0;
  std::uint64_t length_ = 0;
  std::uint64_t left_ = 0;  // of the payload
};

}  // namespace weir::http
