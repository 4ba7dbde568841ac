#include "stream/udp_port.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "stream/udp_session.h"

namespace weir::stream {
namespace {

constexpr int kBatch = 64;  // datagrams taken before the others run again
constexpr std::size_t kLargest = 65536;
constexpr Duration kTellEvery{60000};

// Room for what the kernel says of a datagram, or is told of it.
struct alignas(cmsghdr) Control {
  std::array<char, CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(in_pktinfo))> bytes{};
};

IpAddress local_of(msghdr& message, const IpAddress& bound) {
  for (auto* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
      in_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(part), sizeof info);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_addr = info.ipi_addr;
      IpAddress local(reinterpret_cast<const sockaddr*>(&address));
      local.set_port(bound.port());
      return local;
    }
    if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(part), sizeof info);
      sockaddr_in6 address{};
      address.sin6_family = AF_INET6;
      address.sin6_addr = info.ipi6_addr;
      IpAddress local(reinterpret_cast<const sockaddr*>(&address));
      local.set_port(bound.port());
      return local;
    }
  }
  return bound;
}

template <class Info>
void put_control(msghdr& message, Control& control, int level, int type, const Info& info) {
  message.msg_control = control.bytes.data();
  message.msg_controllen = CMSG_SPACE(sizeof info);
  auto* part = CMSG_FIRSTHDR(&message);
  part->cmsg_level = level;
  part->cmsg_type = type;
  part->cmsg_len = CMSG_LEN(sizeof info);
  std::memcpy(CMSG_DATA(part), &info, sizeof info);
}

void send_from(msghdr& message, Control& control, const IpAddress& local) {
  const auto bytes = local.bytes();
  if (local.is_v4()) {
    in_pktinfo info{};
    std::memcpy(&info.ipi_spec_dst, bytes.data(), bytes.size());
    put_control(message, control, IPPROTO_IP, IP_PKTINFO, info);
  } else if (local.is_v6()) {
    in6_pktinfo info{};
    std::memcpy(&info.ipi6_addr, bytes.data(), bytes.size());
    put_control(message, control, IPPROTO_IPV6, IPV6_PKTINFO, info);
  }
}

}  // namespace

std::size_t UdpPort::Hash::operator()(const Way& way) const {
  // The kernel spreads clients over workers already; here they need only be told apart.
  std::size_t hash = way.client.port();
  for (const auto* address : {&way.client, &way.local}) {
    for (const auto byte : address->bytes()) hash = hash * 1099511628211U + byte;
  }
  return hash;
}

UdpPort::UdpPort(proxy::Worker& worker, std::shared_ptr<UdpRoom> room,
                 const std::string& listen_text, std::uint64_t id)
    : worker_(worker),
      room_(std::move(room)),
      listen_text_(listen_text),
      socket_id_(id),
      waiter_(worker.loop()) {
  room_->add(*this);
}

UdpPort::~UdpPort() { room_->remove(*this); }

proxy::Port* UdpPort::open(proxy::Worker& worker, std::shared_ptr<UdpRoom> room,
                           const std::string& listen_text, net::ListenSocket socket) {
  const std::shared_ptr<UdpPort> port(new UdpPort(worker, std::move(room), listen_text, socket.id));
  if (!port->socket_.open(worker.loop(), socket.fd.release())) return nullptr;
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getsockname(port->socket_.fd(), reinterpret_cast<sockaddr*>(&storage), &size) == 0) {
    port->bound_ = IpAddress(reinterpret_cast<const sockaddr*>(&storage));
  }
  net::spawn(port->run(port));
  return port.get();
}

// `self` keeps the port while this runs.
net::Task<void> UdpPort::run(std::shared_ptr<UdpPort> self) {
  while (!closed_) {
    bool more = true;
    for (int i = 0; i < kBatch && more && !closed_; ++i) more = receive();
    if (more) {
      co_await waiter_.yield();
    } else {
      const net::Interest readable(socket_.on_readable, waiter_);
      co_await waiter_.wait(TimePoint::max());
    }
  }
  static_cast<void>(self);
}

void UdpPort::close() {
  closed_ = true;
  for (auto* session : all_) session->cancel();
  sessions_.clear();
  socket_.close_duplicate(worker_.loop());
  waiter_.cancel();
}

bool UdpPort::receive() {
  sockaddr_storage from{};
  Control control;
  iovec part{worker_.scratch().data(), kLargest};
  msghdr message{};
  message.msg_name = &from;
  message.msg_namelen = sizeof from;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes.data();
  message.msg_controllen = control.bytes.size();
  const auto n = ::recvmsg(socket_.fd(), &message, MSG_DONTWAIT);
  // An error that is waiting concerns a datagram that was sent earlier.
  if (n < 0) return errno != EAGAIN && errno != EWOULDBLOCK && errno != EBADF;
  const Way way{IpAddress(reinterpret_cast<const sockaddr*>(&from)), local_of(message, bound_)};
  deliver(way, {worker_.scratch().data(), static_cast<std::size_t>(n)});
  return true;
}

void UdpPort::deliver(const Way& way, std::string_view bytes) {
  const auto& runtime = worker_.runtime()->get();
  const auto found = sessions_.find(way);
  const bool serves = !worker_.draining() && runtime.stream_listens.contains(listen_text_);
  if (found != sessions_.end()) {
    // A session of an earlier configuration has what it asked for to wait for, and no more.
    if (!serves || found->second->runtime().model == runtime.model) {
      return found->second->deliver(bytes);
    }
    sessions_.erase(found);
  }
  if (serves) begin(way, bytes);
}

void UdpPort::begin(const Way& way, std::string_view bytes) {
  const auto& listens = worker_.runtime()->get().stream_listens;
  const auto& node = *listens.find(listen_text_)->second.node;
  if (size() >= node.config->options.udp_sessions) {
    tell("udp_sessions: there are as many as may be on " + listen_text_);
    make_room(nullptr);
  } else if (room_->is_full(worker_)) {
    tell("sessions of UDP have a quarter of the descriptors that worker_rlimit_nofile allows");
    room_->make_room(nullptr);
  }
  auto* session = UdpSession::make(worker_, shared_from_this(), way);
  sessions_[way] = session;
  all_.insert(session);
  room_->begun();
  session->place() = {&silent_, silent_.insert(silent_.end(), session)};
  // It may end at once, and takes itself out then.
  session->start(bytes);
}

void UdpPort::tell(const std::string& problem) {
  const auto now = worker_.loop().now();
  if (now < tells_again_) return;
  tells_again_ = now + kTellEvery;
  worker_.log().error(problem + "; for further clients, earlier sessions are ended");
}

void UdpPort::leave(Place& place) {
  if (place.queue == nullptr) return;
  place.queue->erase(place.at);
  place.queue = nullptr;
  room_->ended();
}

void UdpPort::ended(UdpSession& session) {
  leave(session.place());
  all_.erase(&session);
}

void UdpPort::moved(Place& place, bool answer) {
  if (place.queue == nullptr || (place.queue == &silent_ && !answer)) return;
  answered_.splice(answered_.end(), *place.queue, place.at);
  place.queue = &answered_;
}

UdpSession* UdpPort::first_to_go(const UdpSession* but) const {
  for (const auto* queue : {&silent_, &answered_}) {
    for (auto* session : *queue) {
      if (session != but) return session;
    }
  }
  return nullptr;
}

bool UdpPort::make_room(const UdpSession* but) {
  auto* session = first_to_go(but);
  if (session == nullptr) return false;
  leave(session->place());
  session->make_way();
  return true;
}

bool UdpPort::free_descriptor(const UdpSession& session) {
  worker_.mutable_stats().fd_exhausted.add();
  tell("there is no descriptor for a session of UDP");
  return room_->make_room(&session) || worker_.shed();
}

bool UdpPort::send(const Way& way, std::string_view bytes) {
  if (closed_) return false;
  Control control;
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_name = const_cast<sockaddr*>(way.client.data());
  message.msg_namelen = way.client.size();
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (bound_.is_wildcard()) send_from(message, control, way.local);
  ssize_t n;
  do {
    n = ::sendmsg(socket_.fd(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (n < 0 && errno == EINTR);
  return n >= 0;
}

void UdpPort::forget(const Way& way, const UdpSession& session) {
  const auto found = sessions_.find(way);
  if (found != sessions_.end() && found->second == &session) sessions_.erase(found);
}

}  // namespace weir::stream
