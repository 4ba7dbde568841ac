// A stream of an HTTP/2 connection: what an exchange sees as its client's connection. Its session
// has a descriptor without a socket, whose layer this is: reads give the body of the request, as
// HTTP/1.1 would frame it; writes take heads of HTTP/1.1, and bodies without frames.
//
// Belongs to its connection, which outlives it. Frees itself when its exchange has ended. Nothing
// of an answer is kept here: what the client does not take now stays with the Sender. Worker
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/layer.h"
#include "net/loop.h"
#include "net/task.h"
#include "proxy/session.h"

namespace weir::proxy {

class Http2Connection;

class Http2Stream final : public net::Layer {
 public:
  Http2Stream(Http2Connection& connection, std::int32_t id);
  ~Http2Stream() override;
  static void* operator new(std::size_t size) { return net::FramePool::take(size); }
  static void operator delete(void* memory, std::size_t size) noexcept {
    net::FramePool::give(memory, size);
  }

  // Runs the request whose head is in the session's pending(), and frees the stream.
  static void start(Http2Stream& stream);

  [[nodiscard]] std::int32_t id() const { return id_; }
  [[nodiscard]] Session& session() { return session_; }
  [[nodiscard]] Http2Connection& connection() { return connection_; }
  // When its head began to come.
  [[nodiscard]] TimePoint began() const { return began_; }

  // ---- from the connection: what the client has sent ----
  enum class Body : std::uint8_t { none, counted, chunked, tunnel };
  // Fields of the head that HTTP/2 has in another form (Host, Transfer-Encoding and the like).
  [[nodiscard]] std::uint32_t written_fields() const;
  void expect(Body body) { body_ = body; }
  void receive(std::string_view bytes);
  void receive_trailer(std::string_view name, std::string_view value);
  void receive_end();
  // The stream is closed: nothing can be sent any more. Unless both ends had finished, the client
  // has gone.
  void close();
  [[nodiscard]] bool answered() const { return ended_out_; }

  // ---- to the connection: a piece of the body for a frame of at most `size` bytes ----
  struct Piece {
    std::size_t size = 0;
    bool end = false;
    bool trailers = false;  // follow
    bool nothing = false;   // not now
  };
  Piece offer(std::size_t size);
  [[nodiscard]] std::string_view take(std::size_t size);
  // A piece of that size, just taken, was no larger because there was no more, or by
  // `http2_chunk_size`: not because the client's window was small.
  [[nodiscard]] bool gave_what_it_could(std::size_t size) const {
    return source_.empty() || size == most_in_frame_;
  }

  // ---- from the exchange ----
  // Most bytes of the body in a frame.
  void limit_frames(std::size_t most) { most_in_frame_ = most; }
  // The head of an answer. `body`: one follows.
  void send_head(std::string_view head, bool body);
  // Bytes of the body. `last`: it ends with them. What was not taken is to be offered again when
  // the descriptor is writable.
  net::IoResult send(std::string_view bytes, bool last);
  // Ends the answer; `trailers` as lines. False: not yet, call it again when the descriptor is
  // writable.
  bool finish(std::string_view trailers);
  // Its end is wanted, and has not been taken.
  [[nodiscard]] bool ending() const { return end_wanted_ && !ended_out_ && !broken_; }
  // The request asks for a WebSocket (RFC 8441).
  [[nodiscard]] bool wants_tunnel() const { return body_ == Body::tunnel; }
  // HTTP/2's name: "h2" or "h2c".
  [[nodiscard]] std::string_view protocol() const;

  // As net::Layer: heads and bodies of what is written beside the Sender (1xx, tunnels).
  net::IoResult read(char* to, std::size_t size) override;
  net::IoResult write(std::string_view bytes) override;
  net::IoResult write_file(int file, std::uint64_t offset, std::size_t size) override;
  net::IoResult peek() override;
  void end_writing() override;
  void forget() override {}

 private:
  net::Task<void> run();
  void end(const Session::Afterwards& after);
  std::size_t read_chunk(char* to, std::size_t size);
  [[nodiscard]] bool unread() const;
  [[nodiscard]] net::IoResult failed() const;

  Http2Connection& connection_;
  std::int32_t id_;
  Session session_;
  TimePoint began_;
  Body body_ = Body::none;
  bool open_ = true;        // nghttp2 knows it
  bool ended_in_ = false;   // the client has sent all
  bool end_given_ = false;  // and the exchange knows
  bool broken_ = false;     // reset by either side
  bool window_opened_ = false;
  std::string in_;
  std::size_t in_read_ = 0;
  std::string trailers_in_;
  std::string last_chunk_;  // trailers included
  std::size_t last_chunk_given_ = 0;

  std::size_t most_in_frame_ = 16 * 1024;
  bool head_sent_ = false;
  bool has_body_ = false;
  bool end_wanted_ = false;
  bool ended_out_ = false;  // the end is on its way
  bool last_ = false;
  std::string_view source_;            // while send() runs
  std::optional<std::uint64_t> left_;  // of a counted body
  std::string trailers_out_;
};

}  // namespace weir::proxy
