// Connections to peers: those in use, and those kept open for the next request (nginx's
// `keepalive`). One worker; a connection belongs to its lease or to the set of its pool.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/timer_wheel.h"
#include "net/loop.h"
#include "upstream/peer.h"

namespace weir::proxy {

class Http2Peer;
class IdleConnections;

// A connection to a peer.
class PeerConnection : public net::Descriptor {
 public:
  PeerConnection();
  ~PeerConnection();

  // From here on it speaks HTTP/2. `secure`: over TLS. False: memory is short.
  [[nodiscard]] bool begin_http2(const net::Loop& loop, bool secure);
  [[nodiscard]] Http2Peer* http2() const { return http2_.get(); }

  std::uint32_t requests = 0;  // made over it
  TimePoint created;
  TimePoint idle_since;
  std::string key;  // whom else it is for: the address it was bound to, the name of its TLS

 private:
  friend class IdleConnections;
  static void on_frames(net::Descriptor& descriptor);

  std::unique_ptr<Http2Peer> http2_;
  struct Expiry : TimerWheel::Timer {
    Expiry() : Timer(&IdleConnectionsExpire) {}
    static void IdleConnectionsExpire(TimerWheel::Timer& timer);
    PeerConnection* connection = nullptr;
  };
  Expiry expiry_;
  IdleConnections* set_ = nullptr;  // where it is idle; null while leased
  std::uint32_t peer_index_ = 0;
  PeerConnection* prev_ = nullptr;  // of all idle ones, oldest first
  PeerConnection* next_ = nullptr;
  PeerConnection* below_ = nullptr;  // of the same peer: the one that was put here before
  PeerConnection* above_ = nullptr;
};

// The idle connections of one pool in one worker: newest first for each peer, and no more than
// `limit` in all, the least recently used going first.
class IdleConnections {
 public:
  IdleConnections(net::Loop& loop, std::size_t peers, std::size_t limit)
      : loop_(loop), tops_(peers, nullptr), limit_(limit) {}
  ~IdleConnections();
  IdleConnections(const IdleConnections&) = delete;
  IdleConnections& operator=(const IdleConnections&) = delete;

  // The most recently used connection to the peer with that key, or null.
  [[nodiscard]] std::unique_ptr<PeerConnection> take(std::uint32_t peer_index,
                                                     std::string_view key = {});
  // Keeps `connection` until `expires`; closes it at once if none are kept or it has ended.
  void give(std::unique_ptr<PeerConnection> connection, std::uint32_t peer_index,
            TimePoint expires);
  // Closes the idle connections of a peer that has gone down.
  void drop_peer(std::uint32_t peer_index);
  // Closes the least recently used one; false if there is none.
  bool drop_oldest();
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  friend class PeerConnection;
  void unlink(PeerConnection& connection);
  static void on_event(net::Descriptor& descriptor);

  net::Loop& loop_;
  std::vector<PeerConnection*> tops_;  // by peer index
  PeerConnection* oldest_ = nullptr;
  PeerConnection* newest_ = nullptr;
  std::size_t size_ = 0;
  std::size_t limit_;
};

}  // namespace weir::proxy
