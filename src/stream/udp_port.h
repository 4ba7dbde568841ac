// A socket that datagrams of clients come to, and the sessions that they belong to, by client.
// Worker thread; lives until it is closed and its last session has ended.
#pragma once

#include <netinet/in.h>

#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/address.h"
#include "net/loop.h"
#include "net/socket.h"
#include "net/task.h"
#include "proxy/guest.h"
#include "proxy/worker.h"
#include "stream/udp_room.h"

namespace weir::stream {

class UdpSession;

class UdpPort final : public proxy::Port, public std::enable_shared_from_this<UdpPort> {
 public:
  // Takes over the socket. `listen_text` outlives it.
  static proxy::Port* open(proxy::Worker& worker, std::shared_ptr<UdpRoom> room,
                           const std::string& listen_text, net::ListenSocket socket);
  ~UdpPort() override;

  [[nodiscard]] const std::string& listen_text() const override { return listen_text_; }
  [[nodiscard]] std::uint64_t socket_id() const override { return socket_id_; }
  void close() override;

  // A client, and which of the machine's addresses it has sent to.
  struct Way {
    IpAddress client;
    IpAddress local;  // with the socket's port
    friend bool operator==(const Way&, const Way&) = default;
  };
  // One datagram back. False: it could not be sent.
  bool send(const Way& way, std::string_view bytes);
  // The next datagram of the client begins a session of its own.
  void forget(const Way& way, const UdpSession& session);
  void ended(UdpSession& session);

  // ---- who makes room for a further client: first the oldest that never had an answer, then
  // ---- whoever has been idle longest
  struct Place {
    std::list<UdpSession*>* queue = nullptr;  // null: it is ending
    std::list<UdpSession*>::iterator at{};
  };
  // A datagram of either side.
  void moved(Place& place, bool answer);
  [[nodiscard]] std::size_t size() const { return silent_.size() + answered_.size(); }
  // Null: there is none but `but`.
  [[nodiscard]] UdpSession* first_to_go(const UdpSession* but) const;
  // Ends it. False: there is none.
  bool make_room(const UdpSession* but);
  // There is no descriptor for `session`: frees one of another's. False: there is none.
  bool free_descriptor(const UdpSession& session);

 private:
  struct Hash {
    std::size_t operator()(const Way& way) const;
  };

  UdpPort(proxy::Worker& worker, std::shared_ptr<UdpRoom> room, const std::string& listen_text,
          std::uint64_t id);
  net::Task<void> run(std::shared_ptr<UdpPort> self);
  // False: nothing is waiting.
  bool receive();
  void deliver(const Way& way, std::string_view bytes);
  void begin(const Way& way, std::string_view bytes);
  void leave(Place& place);
  void tell(const std::string& problem);

  proxy::Worker& worker_;
  std::shared_ptr<UdpRoom> room_;
  const std::string& listen_text_;
  std::uint64_t socket_id_;
  IpAddress bound_;
  net::Descriptor socket_;
  net::Waiter waiter_;
  std::unordered_map<Way, UdpSession*, Hash> sessions_;
  std::unordered_set<UdpSession*> all_;  // those that are forgotten, too
  std::list<UdpSession*> silent_;        // without an answer yet, in the order they began
  std::list<UdpSession*> answered_;      // the longest idle first
  TimePoint tells_again_ = TimePoint::min();
  bool closed_ = false;
};

}  // namespace weir::stream
