// An upgraded connection: bytes both ways until both ends have finished. Half-closes are passed on.
// Lives in the frame of Exchange::proxy; worker thread.
#pragma once

#include <string>

#include "base/error.h"
#include "net/loop.h"
#include "net/task.h"

namespace weir::proxy {

class Tunnel {
 public:
  struct Counts {
    std::uint64_t to_client = 0;
    std::uint64_t to_peer = 0;
  };
  Tunnel(net::Descriptor& client, net::Descriptor& peer, net::Loop& loop, net::Scratch& scratch)
      : down_(peer, client), up_(client, peer), loop_(loop), scratch_(scratch) {}

  // Bytes received already, to be sent first.
  void preload_client(std::string_view bytes) { down_.tail.assign(bytes); }
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

    [[nodiscard]] std::size_t held() const { return tail.size() - sent; }
  };
  // Moves what can be moved; true if anything was.
  bool step(Direction& direction);

  Direction down_;
  Direction up_;
  net::Loop& loop_;
  net::Scratch& scratch_;
};

}  // namespace weir::proxy
