#include "http/websocket_frames.h"

#include <doctest/doctest.h>

#include <string>

namespace weir::http {
namespace {

std::string frame(std::size_t size, bool masked) {
  std::string out = "\x82";
  const char mask = masked ? '\x80' : '\0';
  if (size < 126) {
    out += static_cast<char>(static_cast<char>(size) | mask);
  } else if (size < 65536) {
    out += static_cast<char>(126 | mask);
    out += static_cast<char>(size >> 8);
    out += static_cast<char>(size & 255);
  } else {
    out += static_cast<char>(127 | mask);
    for (int i = 7; i >= 0; --i) out += static_cast<char>(size >> (8 * i) & 255);
  }
  if (masked) out += "abcd";
  return out + std::string(size, 'x');
}

}  // namespace

TEST_CASE("boundaries of frames, however the bytes are cut") {
  for (const bool masked : {false, true}) {
    for (const std::size_t size : {0u, 1u, 125u, 126u, 127u, 65535u, 65536u, 70000u}) {
      const std::string bytes = frame(size, masked) + frame(3, masked);
      for (const std::size_t step : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
        CAPTURE(size);
        CAPTURE(step);
        WebsocketFrames frames;
        CHECK(frames.at_boundary());
        std::size_t at = 0;
        const std::size_t first = frame(size, masked).size();
        while (at < bytes.size()) {
          const auto part = std::min(step, bytes.size() - at);
          frames.feed(std::string_view(bytes).substr(at, part));
          at += part;
          if (step == 1) CHECK(frames.at_boundary() == (at == first || at == bytes.size()));
        }
        CHECK(frames.at_boundary());
      }
    }
  }
}

TEST_CASE("the frames of weir's own are whole frames") {
  for (const auto text : {WebsocketFrames::kRestartToClient, WebsocketFrames::kRestartToServer}) {
    WebsocketFrames frames;
    frames.feed(text.substr(0, text.size() - 1));
    CHECK(!frames.at_boundary());
    frames.feed(text.substr(text.size() - 1));
    CHECK(frames.at_boundary());
  }
}

}  // namespace weir::http
