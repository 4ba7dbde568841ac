// A TCP connection of stream, or one over a Unix socket: what comes before a peer is chosen (the
// PROXY protocol, access, TLS, what the client asks for), the peer, then bytes both ways.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "proxy/peer_watch.h"
#include "stream/session.h"

namespace weir::stream {

class TcpSession final : public Session {
 public:
  // Takes over `fd`. Frees itself.
  static void start(proxy::Worker& worker, int fd, const std::string& listen_text,
                    const IpAddress& peer, std::uint64_t id);

  [[nodiscard]] const net::TlsStream* tls() const override { return client_.tls(); }

 private:
  // Bytes from one end to the other (tcp_relay.cpp).
  struct Direction {
    Direction(net::Descriptor& from_, net::Descriptor& to_) : from(from_), to(to_) {}
    net::Descriptor& from;
    net::Descriptor& to;
    std::string tail;  // read, but not taken yet
    std::size_t sent = 0;
    std::uint64_t rate = 0;  // bytes a second; 0: no limit
    std::uint64_t read = 0;
    TimePoint next = TimePoint::min();  // nothing is read before
    bool ended = false;                 // `from` has finished
    bool told = false;                  // and `to` knows it
    bool cut = false;                   // `to` takes no more; what it has sent is still passed on
    bool reset = false;                 // and it did not even finish sending
    bool failed = false;
    [[nodiscard]] std::size_t held() const { return tail.size() - sent; }
    [[nodiscard]] bool over() const { return ended && held() == 0; }
  };
  enum class End : std::uint8_t { client, peer, failed, timed_out, left, cancelled };

  using Session::Session;
  net::Task<void> run();
  net::Task<int> serve();
  net::Task<bool> read_proxied();
  net::Task<int> begin_tls();
  [[nodiscard]] bool accepts_certificate();
  net::Task<int> preread();
  net::Task<int> answer();
  net::Task<int> pass_on();
  net::Task<Error> connect(const upstream::Peer& peer, const proxy::PeerWatch& watch);
  net::Task<Error> begin_peer(const upstream::Peer& peer, TimePoint deadline);
  net::Task<Error> peer_handshake(const upstream::Peer& peer, TimePoint deadline);
  // What a connection to the peer begins with; empty: nothing.
  [[nodiscard]] std::string header_for_peer() const;
  // Waits for `slot` of a descriptor; not ok: why it did not come.
  net::Task<Error> wait_for(net::Waiter*& slot, TimePoint deadline);

  net::Task<End> relay(const proxy::PeerWatch& watch);
  [[nodiscard]] bool step(Direction& direction);
  [[nodiscard]] std::size_t room(Direction& direction) const;
  static void broke(Direction& direction, net::Descriptor& other);
  static void cut(Direction& direction, const net::IoResult& sent);
  // How it has ended; nullopt: it goes on.
  [[nodiscard]] std::optional<End> ending(const proxy::PeerWatch& watch);
  void moved(const Direction& direction, std::size_t read, std::size_t written);
  void conclude(End end);
  net::Task<void> linger();

  net::Descriptor client_;
  net::Descriptor peer_;
  std::string early_;  // bytes of the client that were looked at
  Direction up_{client_, peer_};
  Direction down_{peer_, client_};
  TimePoint relay_began_{};
};

}  // namespace weir::stream
