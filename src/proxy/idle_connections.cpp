#include "proxy/idle_connections.h"

#include <utility>

#include "proxy/http2_peer.h"

namespace weir::proxy {

PeerConnection::PeerConnection() = default;
PeerConnection::~PeerConnection() = default;

bool PeerConnection::begin_http2(const net::Loop& loop, bool secure) {
  http2_ = std::make_unique<Http2Peer>(*this, loop);
  on_idle_event = &PeerConnection::on_frames;
  every_event = true;
  return http2_->begin(secure);
}

void PeerConnection::on_frames(net::Descriptor& descriptor) {
  static_cast<PeerConnection&>(descriptor).http2_->happened();
}

void PeerConnection::Expiry::IdleConnectionsExpire(TimerWheel::Timer& timer) {
  PeerConnection* connection = static_cast<Expiry&>(timer).connection;
  if (connection->set_ == nullptr) return;  // leased again since
  connection->set_->unlink(*connection);
  delete connection;
}

IdleConnections::~IdleConnections() {
  while (drop_oldest()) {
  }
}

std::unique_ptr<PeerConnection> IdleConnections::take(std::uint32_t peer_index,
                                                      std::string_view key) {
  PeerConnection* connection = tops_[peer_index];
  while (connection != nullptr && connection->key != key) connection = connection->below_;
  if (connection == nullptr) return nullptr;
  unlink(*connection);
  connection->expiry_.disarm();
  return std::unique_ptr<PeerConnection>(connection);
}

void IdleConnections::give(std::unique_ptr<PeerConnection> connection, std::uint32_t peer_index,
                           TimePoint expires) {
  if (limit_ == 0 || expires <= loop_.now()) return;
  // Readable while idle means an end, or bytes nobody asked for: neither is ever used again. HTTP/2
  // has frames that need nobody to ask.
  const auto* http2 = connection->http2();
  if (http2 != nullptr ? !http2->reusable() : connection->readable()) return;
  if (size_ == limit_) drop_oldest();
  PeerConnection* c = connection.release();
  c->set_ = this;
  c->peer_index_ = peer_index;
  c->on_idle_event = &IdleConnections::on_event;
  c->expiry_.connection = c;
  c->idle_since = loop_.now();
  c->below_ = std::exchange(tops_[peer_index], c);
  c->above_ = nullptr;
  if (c->below_ != nullptr) c->below_->above_ = c;
  c->prev_ = std::exchange(newest_, c);
  c->next_ = nullptr;
  (c->prev_ != nullptr ? c->prev_->next_ : oldest_) = c;
  ++size_;
  loop_.wheel().arm(c->expiry_, expires);
}

void IdleConnections::unlink(PeerConnection& c) {
  (c.above_ != nullptr ? c.above_->below_ : tops_[c.peer_index_]) = c.below_;
  if (c.below_ != nullptr) c.below_->above_ = c.above_;
  (c.prev_ != nullptr ? c.prev_->next_ : oldest_) = c.next_;
  (c.next_ != nullptr ? c.next_->prev_ : newest_) = c.prev_;
  c.above_ = c.below_ = c.prev_ = c.next_ = nullptr;
  c.set_ = nullptr;
  c.on_idle_event = c.http2_ != nullptr ? &PeerConnection::on_frames : nullptr;
  --size_;
}

void IdleConnections::on_event(net::Descriptor& descriptor) {
  auto& connection = static_cast<PeerConnection&>(descriptor);
  if (auto* http2 = connection.http2(); http2 != nullptr) {
    http2->happened();
    if (http2->reusable()) return;
  }
  connection.set_->unlink(connection);
  delete &connection;
}

void IdleConnections::drop_peer(std::uint32_t peer_index) {
  while (PeerConnection* connection = tops_[peer_index]) {
    unlink(*connection);
    delete connection;
  }
}

bool IdleConnections::drop_oldest() {
  if (oldest_ == nullptr) return false;
  PeerConnection* connection = oldest_;
  unlink(*connection);
  delete connection;
  return true;
}

}  // namespace weir::proxy
