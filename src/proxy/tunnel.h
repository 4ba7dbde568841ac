// An upgraded connection: bytes both ways until both ends have finished. Half-closes are passed on.
// When its peer is to have no more tunnels, a WebSocket is ended with 1012 "service restart", so
// that the client connects anew; other tunnels end without a word. Lives in the frame of
// Exchange::proxy; worker thread.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "http/websocket_frames.h"
#include "net/loop.h"
#include "net/task.h"
#include "proxy/peer_watch.h"

namespace weir::proxy {

class Tunnel {
 public:
  struct Counts {
    std::uint64_t to_client = 0;
    std::uint64_t to_peer = 0;
  };
  struct Options {
    bool websocket = false;
    const PeerWatch* watch = nullptr;
    bool bound = false;  // its client comes back to the peer, though that is drained
    // Added to the moment at which the peer leaves: not all its clients shall come at once.
    Duration leave_after{0};
  };
  Tunnel(net::Descriptor& client, net::Descriptor& peer, net::Loop& loop, net::Scratch& scratch,
         const Options& options)
      : down_(peer, client), up_(client, peer), loop_(loop), scratch_(scratch), options_(options) {}

  // Bytes received already, to be sent first.
  // What the peer sent with its 101 is on its way to the client already.
  void sent_to_client(std::string_view bytes) { down_.frames.feed(bytes); }
  void preload_peer(std::string_view bytes) { up_.tail.assign(bytes); }

  // Ends with Errc::ok when both ends have finished, or one side failed or `idle` passed without a
  // byte.
  net::Task<Error> run(net::Waiter& waiter, Duration idle);
  [[nodiscard]] Counts counts() const { return {down_.moved, up_.moved}; }

 private:
  struct Direction {
    Direction(net::Descriptor& from_, net::Descriptor& to_) : from(from_), to(to_) {}
    net::Descriptor& from;
    net::Descriptor& to;
    std::string tail;  // read but not taken yet
    std::size_t sent = 0;
    std::uint64_t moved = 0;
    bool ended = false;  // `from` has finished, and `to` knows it
    bool failed = false;
    bool refused = false;          // by `to`, which has gone
    http::WebsocketFrames frames;  // that `to` has got

    [[nodiscard]] std::size_t held() const { return tail.size() - sent; }
  };
  // Moves what can be moved; true if anything was.
  bool step(Direction& direction);
  // Only what is held.
  bool flush(Direction& direction);
  void note(Direction& direction, std::string_view sent) const {
    direction.moved += sent.size();
    if (options_.websocket) direction.frames.feed(sent);
  }
  // The time at which it is to end for its peer's sake; TimePoint::max(): it is not.
  TimePoint leaves_at();
  net::Task<Error> leave(net::Waiter& waiter);

  Direction down_;
  Direction up_;
  net::Loop& loop_;
  net::Scratch& scratch_;
  Options options_;
  TimePoint leaves_at_ = TimePoint::max();
};

}  // namespace weir::proxy
