// HTTP/2 with a peer (RFC 9113), as a connection of HTTP/1.1 to those who use it: requests are
// written as HTTP/1.1 has them, chunks and trailers included, and so are answers read. One request
// at a time, as nginx does it; frames by nghttp2, which does no I/O.
//
// Stands between a socket (or the TLS on it), whose events it takes all, and a descriptor without a
// socket, which tells of the request alone. So what the peer says besides (PING, SETTINGS, windows)
// is heard at once, whether or not somebody waits for its answer, and while the connection is idle.
//
// Of a request, frames for the socket and the rest of one piece are held; of an answer what the
// peer's window let it send. Belongs to its PeerConnection; worker thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/chunked.h"
#include "http/http2_from_peer.h"
#include "http/http2_guard.h"
#include "http/http2_scanner.h"
#include "http/http2_to_peer.h"
#include "net/layer.h"
#include "net/loop.h"

struct nghttp2_session;

namespace weir::proxy {

class Http2Peer final : public net::Layer {
 public:
  Http2Peer(net::Descriptor& socket, const net::Loop& loop);
  ~Http2Peer() override;

  // Greets the peer, with the first request. `secure`: over TLS. False: memory is short.
  [[nodiscard]] bool begin(bool secure);

  // What the next request goes to and its answer comes from, until end_request(). `head_limit`:
  // bytes of the answer's head. `trailers`: an answer of gRPC may have them whatever else it says.
  net::Descriptor& begin_request(std::size_t head_limit, bool trailers);
  // Whatever of it is still open is cancelled. True: the connection may have another one.
  bool end_request();

  // Takes what has come, and sends what can be sent. `look`: whatever events have said.
  void happened(bool look = false);
  // Another request may be sent.
  [[nodiscard]] bool reusable() const;

  // Why there is no answer, or not all of it.
  enum class Failure : std::uint8_t {
    none,
    closed,   // the connection was closed, or broke
    reset,    // the stream was
    refused,  // the peer says that it has not looked at the request
    retired,  // so does one that is about to close the connection
    bad,      // it is no HTTP/2
  };
  [[nodiscard]] Failure failure() const { return failure_; }
  [[nodiscard]] const std::string& detail() const { return detail_; }

  // As net::Layer, of the descriptor of the request.
  net::IoResult read(char* to, std::size_t size) override;
  net::IoResult write(std::string_view bytes) override;
  net::IoResult write_file(int file, std::uint64_t offset, std::size_t size) override;
  net::IoResult peek() override;
  void end_writing() override {}
  void forget() override {}

 private:
  friend struct Http2PeerCallbacks;
  using ToPeer = http::Http2ToPeer;
  using FromPeer = http::Http2FromPeer;

  // ---- what goes out ----
  bool send_head(std::string_view head);
  // Bytes of the body; how many were taken.
  std::size_t send_body(std::string_view bytes);
  std::size_t send_chunks(std::string_view bytes);
  // Makes frames of `bytes`, as far as they go; how many.
  std::size_t offer(std::string_view bytes);
  // The same; the rest is held.
  void give(std::string_view data);
  // Whether nothing is held any more.
  bool offer_held();
  struct Piece {
    std::size_t size = 0;
    bool end = false;
    bool trailers = false;  // follow
    bool nothing = false;   // not now
  };
  Piece next_piece(std::size_t most);
  [[nodiscard]] std::string_view take_piece(std::size_t size);
  // Makes frames of what is waiting, as far as windows and the buffer allow.
  void pump();
  // The same, and gives them to the socket.
  void push();
  [[nodiscard]] std::size_t unsent() const { return out_.size() - sent_; }
  void say_goodbye();

  // ---- what comes in ----
  void receive(std::string_view bytes);
  void head_complete(bool ends);
  void take_data(std::string_view bytes);
  void answer_ends(std::string_view trailers);
  void goes_away(std::uint32_t code);
  void stream_closed(std::uint32_t code);
  // What the peer has done wrong, in words.
  [[nodiscard]] std::string fault(std::uint32_t code) const;
  void note(http::Nuisance what);
  // The connection is of no use any more.
  void break_off(Failure why, std::string detail);
  void fail(Failure why, std::string detail);
  std::size_t read_text(char* to, std::size_t size);
  std::size_t read_body(char* to, std::size_t size);
  std::size_t read_chunk(char* to, std::size_t size);
  // Gives the peer room for `size` bytes that were read.
  void consumed(std::size_t size);
  [[nodiscard]] bool unread() const;
  [[nodiscard]] net::IoResult failed() const;

  net::Descriptor& socket_;
  const net::Loop& loop_;
  nghttp2_session* native_ = nullptr;
  http::Http2Guard guard_;
  http::Http2Scanner scanner_;
  net::Descriptor stream_;
  std::string out_;  // frames; those before sent_ have gone
  std::size_t sent_ = 0;
  bool secure_ = false;
  bool greeted_ = false;  // the peer's first bytes have come
  bool broken_ = false;   // by the peer's fault: it gets no more than a last word
  bool dead_ = false;     // so is the socket, or nghttp2: not even that
  bool going_ = false;    // GOAWAY has come
  std::uint32_t going_code_ = 0;
  int sys_ = 0;                      // errno of the socket
  std::uint32_t continuations_ = 0;  // of the block that is being received
  std::string problem_;              // what nghttp2 has found last
  ToPeer to_;
  FromPeer from_;

  // ---- of the request ----
  std::int32_t id_ = -1;  // of its stream; -1: none
  bool open_ = false;     // nghttp2 knows it
  Failure failure_ = Failure::none;
  std::string detail_;
  std::size_t head_limit_ = 0;
  bool grpc_ = false;
  bool head_sent_ = false;
  bool to_head_ = false;  // the method is HEAD
  ToPeer::Body body_out_ = ToPeer::Body::none;
  std::uint64_t left_out_ = 0;  // of a counted body
  http::ChunkedDecoder chunks_;
  std::string_view source_;  // while bytes are offered
  std::string held_;         // of a piece that could not go whole
  std::size_t held_sent_ = 0;
  std::string trailers_out_;
  bool all_out_ = false;    // of a chunked body has been offered
  bool ended_out_ = false;  // the end is on its way
  bool cancelled_ = false;  // by a reset of ours
  bool malformed_ = false;  // of the peer's frames

  // ---- of its answer ----
  bool head_came_ = false;
  std::uint32_t informational_ = 0;
  FromPeer::Body body_in_ = FromPeer::Body::none;
  std::string text_;  // heads, and what frames the body: to be read before more of it
  std::size_t text_read_ = 0;
  std::string in_;  // of the body
  std::size_t in_read_ = 0;
  std::string trailers_in_;
  bool ended_in_ = false;   // all of it has come: no failure concerns it any more
  bool end_given_ = false;  // of a chunked body
};

}  // namespace weir::proxy
