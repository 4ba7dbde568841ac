// One attempt to have a request answered by one peer: a connection, kept or new, the request sent,
// the head of the answer read. Lives in the frame of Exchange::proxy; worker thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/error.h"
#include "http/head.h"
#include "net/socket.h"
#include "net/task.h"
#include "proxy/exchange.h"
#include "proxy/idle_connections.h"
#include "proxy/peer_watch.h"
#include "upstream/tries.h"

namespace weir::proxy {

class Attempt {
 public:
  // `fresh`: a new connection, whatever is kept.
  Attempt(Exchange& exchange, upstream::Peer& peer, std::uint32_t peer_index, bool fresh);

  // Until the head of the final answer is in Exchange::response(), or the attempt has failed. Ok:
  // the bytes after the head are body(), in the thread's buffer, until the caller's
  // next suspension.
  net::Task<Error> run();

  [[nodiscard]] upstream::AttemptResult result(Error error) const;
  // What the request goes to and the answer comes from: the connection, or what stands for it.
  [[nodiscard]] net::Descriptor& connection() { return *io_; }
  [[nodiscard]] bool asks_upgrade() const { return asks_upgrade_; }
  // What came of the answer's body with its head.
  [[nodiscard]] std::span<char> body() const { return body_.bytes(); }

  // Reads more of the answer's body into `out`, until it is whole or has `most` bytes; all of it is
  // body() again.
  net::Task<void> read_ahead(std::size_t most, std::string& out);
  [[nodiscard]] const PeerWatch& watch() const { return watch_; }

  // Makes `bytes` that once more, after a suspension.
  void put_back(std::string_view bytes);

  // Moves the request's body on. Called as well while the answer is being passed on.
  struct Push {
    Error error;
    bool done = false;          // everything has been sent, or nothing more will be
    bool wants_peer = false;    // waits for room at the peer
    bool wants_client = false;  // waits for the client's bytes
  };
  Push push();
  [[nodiscard]] bool request_sent() const { return request_done_ && !send_failed_; }

  // Keeps the connection for later requests, if answer and request ended as they should.
  void give_back(bool answer_whole, bool excess);
  // Says in the record what a peer of HTTP/2 gave for the end of its answer.
  void explain_end();

 private:
  // A kept connection that is still good.
  [[nodiscard]] bool lease();
  net::Task<Error> connect();
  net::Task<Error> handshake(TimePoint deadline);
  void name_peer();
  void name_client();
  Error connect_options(net::ConnectOptions& options);
  [[nodiscard]] http::Method upstream_method() const;
  [[nodiscard]] bool wants_hints() const;
  [[nodiscard]] bool usable(PeerConnection& connection) const;
  Error send_head();
  net::Task<Error> read_head();
  Error take_bytes(std::size_t size, bool& complete);
  Error informational();
  [[nodiscard]] Error closed_error(int sys);
  [[nodiscard]] bool turned_away() const;
  [[nodiscard]] Error http2_error(const Http2Peer& http2, int sys) const;

  Exchange& x_;
  Worker& worker_;
  const config::ProxyConfig& proxy_;
  const config::RequestConfig& config_;
  upstream::Peer& peer_;
  PeerWatch watch_;
  std::uint32_t peer_index_;
  bool fresh_;
  std::string local_;     // of `proxy_bind`
  std::string header_;    // of the PROXY protocol, that a connection begins with
  std::string tls_name_;  // of the peer, for its certificate
  std::string key_;       // what a kept connection must have been made for
  bool sends_body_;
  bool http2_;  // the peer is spoken to in it
  std::unique_ptr<PeerConnection> connection_;
  net::Descriptor* io_ = nullptr;
  bool reused_ = false;
  bool asks_upgrade_ = false;
  std::string tail_;  // of the request head, when the peer does not take it at once
  std::size_t tail_sent_ = 0;
  bool request_done_ = false;
  bool send_failed_ = false;
  std::uint32_t informational_ = 0;
  http::ParseState parse_state_;
  net::Borrowed body_;
};

}  // namespace weir::proxy
