// Floods of HTTP/2: events that cost their sender next to nothing share one account a connection
// (CVE-2023-44487 and its kin). Useful work pays for some of them, and time forgives the rest; at
// the limit the connection is to end. Decides only: no I/O, time comes as an argument. Worker
// thread.
//
// A connection may be that of a proxy or CDN, with many users on it: some of them cancel, send
// nonsense or take nothing, while the others are served.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/clock.h"

namespace weir::http {

enum class Nuisance : std::uint8_t {
  reset,         // RST_STREAM of the client, for a request that it did not wait for
  bad_stream,    // a stream that weir refused: malformed, or beyond what may run at once
  empty_data,    // DATA without bytes and end
  stall,         // a client that did not take an answer in time
  continuation,  // CONTINUATION without an end: at once, not counted
  ping,          // these are paid for by answers
  settings,
  window_update,
  priority,
  other,  // frames of unknown types, GOAWAY
};
inline constexpr std::size_t kNuisances = 10;
// As metrics and the log name them, in that order.
inline constexpr std::array<std::string_view, kNuisances> kNuisanceWords = {
    "reset", "bad_stream", "empty_data",    "stall",    "continuation",
    "ping",  "settings",   "window_update", "priority", "other"};

class Http2Guard {
 public:
  // `limit`: events; `http2_flood_limit`. A tenth of it is forgiven each second.
  Http2Guard(std::uint32_t limit, TimePoint now) : limit_(limit), forgiven_(now) {}

  // Notes `count` events. False: the limit is reached; worst() tells by what.
  bool note(Nuisance what, TimePoint now, std::uint32_t count = 1);
  // A request has been answered to the end. Pays for pings and the like, and half for a request
  // that is cancelled, malformed or stuck.
  void answered();
  // A frame of so many bytes of an answer has gone. Pays for the updates of windows that it is
  // taken by; of frames that are small for the sake of the client's window only if they are not
  // next to nothing on average (CVE-2019-9511). `whole`: it was no larger because there was no
  // more.
  void sent(std::size_t size, bool whole);
  // Work of another kind that pays for so many pings, window updates and the like.
  void pay(std::uint32_t events) { paid_ += events; }
  // The one that there was most of.
  [[nodiscard]] Nuisance worst() const;

 private:
  std::uint32_t limit_;
  std::uint64_t level_ = 0;
  std::uint64_t paid_ = 0;
  std::uint64_t answers_ = 0;  // that have not paid for requests that were none
  std::size_t bytes_ = 0;      // that have not paid for small frames
  TimePoint forgiven_;
  std::array<std::uint64_t, kNuisances> counts_{};
};

}  // namespace weir::http
