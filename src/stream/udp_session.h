// The datagrams of one client, as they go to one peer, and those that come back. Worker thread.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/peer_watch.h"
#include "stream/session.h"
#include "stream/udp_port.h"

namespace weir::stream {

class UdpSession final : public Session {
 public:
  static UdpSession* make(proxy::Worker& worker, std::shared_ptr<UdpPort> port,
                          const UdpPort::Way& way);
  // Begins with the client's first datagram. It may have freed itself when this returns.
  void start(std::string_view bytes);
  // A further datagram of the client.
  void deliver(std::string_view bytes);
  // Ends it in a later turn of the loop; its descriptor is free at once.
  void make_way();
  [[nodiscard]] UdpPort::Place& place() { return place_; }

 private:
  UdpSession(proxy::Worker& worker, std::shared_ptr<UdpPort> port, const UdpPort::Way& way);
  net::Task<void> run();
  net::Task<int> serve();
  net::Task<int> pass_on();
  [[nodiscard]] Error connect(const upstream::Peer& peer);
  net::Task<int> relay(const proxy::PeerWatch& watch);
  [[nodiscard]] bool send_waiting();
  // What the peer has sent. False: nobody is there.
  [[nodiscard]] bool receive(bool& more);
  [[nodiscard]] bool has_all_responses() const;
  [[nodiscard]] bool complete() const;

  std::shared_ptr<UdpPort> port_;
  UdpPort::Way way_;
  UdpPort::Place place_;
  net::Descriptor peer_;
  std::deque<std::string> waiting_;  // datagrams of the client that are to go to the peer
  std::size_t waiting_bytes_ = 0;
  std::uint64_t requests_ = 0;
  std::uint64_t responses_ = 0;
  std::uint64_t upload_rate_ = 0;
  std::uint64_t download_rate_ = 0;
  TimePoint next_send_ = TimePoint::min();
  TimePoint next_receive_ = TimePoint::min();
  TimePoint active_{};
  bool relays_ = false;
  bool makes_way_ = false;
};

}  // namespace weir::stream
